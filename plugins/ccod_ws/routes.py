"""The routes of the WebSocket and of its twin, and of who is connected."""

from __future__ import annotations

import quart.wrappers

from ccod_http.web import Routes, WebSocket, current_address, current_user
from ccod_ws.client import Client
from ccod_ws.guests import Origin
from ccod_ws.hub import Hub
from ccod_ws.settings import WsSettings

DISCONNECTED: type[Exception] = getattr(quart.wrappers, "ClientDisconnectedError", ConnectionError)
"""Raised from Quart 0.23 on where Quart before it cancels the handler: the client has gone."""


def blueprint(hub: Hub, settings: WsSettings) -> Routes:
    routes = Routes("ws", __name__)

    @routes.websocket("/ws", access="read")
    async def connect() -> None:
        """Be told at once of whatever is stored."""
        socket = WebSocket()
        client = Client(hub, socket, Origin(current_address(), current_user()), settings)
        hub.join(client)
        try:
            await socket.accept()
            await client.run()
        except* DISCONNECTED:
            pass
        finally:
            hub.leave(client)

    return routes
