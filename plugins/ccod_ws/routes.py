"""The route of the WebSocket."""

from __future__ import annotations

import quart.wrappers
from quart import Blueprint, websocket

from ccod_http.web import require_reader
from ccod_ws.hub import Hub

DISCONNECTED: type[Exception] = getattr(quart.wrappers, "ClientDisconnectedError", ConnectionError)
"""Raised from Quart 0.23 on where Quart before it cancels the handler: the client has gone."""


def blueprint(hub: Hub) -> Blueprint:
    routes = Blueprint("ws", __name__)
    routes.before_websocket(require_reader)

    @routes.websocket("/ws")
    async def connect() -> None:
        client = hub.join(websocket)
        try:
            await websocket.accept()
            await client.run()
        except* DISCONNECTED:
            pass
        finally:
            hub.leave(client)

    return routes
