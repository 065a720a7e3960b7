"""The route of the WebSocket."""

from __future__ import annotations

import quart.wrappers
from quart import websocket

from ccod_http.web import Routes
from ccod_ws.hub import Hub

DISCONNECTED: type[Exception] = getattr(quart.wrappers, "ClientDisconnectedError", ConnectionError)
"""Raised from Quart 0.23 on where Quart before it cancels the handler: the client has gone."""


def blueprint(hub: Hub) -> Routes:
    routes = Routes("ws", __name__)

    @routes.websocket("/ws", access="read")
    async def connect() -> None:
        """Be told at once of whatever is stored."""
        client = hub.join(websocket)
        try:
            await websocket.accept()
            await client.run()
        except* DISCONNECTED:
            pass
        finally:
            hub.leave(client)

    return routes
