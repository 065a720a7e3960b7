"""The route of the WebSocket."""

from __future__ import annotations

from quart import Blueprint, websocket

from ccod_http.web import require_reader
from ccod_ws.hub import Hub


def blueprint(hub: Hub) -> Blueprint:
    routes = Blueprint("ws", __name__)
    routes.before_websocket(require_reader)

    @routes.websocket("/ws")
    async def connect() -> None:
        client = hub.join(websocket)
        try:
            await websocket.accept()
            await client.run()
        finally:
            hub.leave(client)

    return routes
