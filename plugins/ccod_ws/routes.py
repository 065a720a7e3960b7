"""The route of the WebSocket."""

from __future__ import annotations

import quart.wrappers
import trio
from quart import websocket

from ccod import Auth, User
from ccod_http.web import Routes, current_user
from ccod_ws.client import Client
from ccod_ws.hub import Hub
from ccod_ws.protocol import CloseCode

DISCONNECTED: type[Exception] = getattr(quart.wrappers, "ClientDisconnectedError", ConnectionError)
"""Raised from Quart 0.23 on where Quart before it cancels the handler: the client has gone."""

SUBPROTOCOL = "ccod"
"""What a browser must offer beside `bearer.<token>`: it takes no answer that chooses none of its offers."""


def blueprint(hub: Hub, auth: Auth) -> Routes:
    routes = Routes("ws", __name__)

    @routes.websocket("/ws", access="read")
    async def connect() -> None:
        """Be told at once of whatever is stored."""
        user = current_user()
        assert user is not None, "strangers have no access"
        client = hub.join(websocket)
        try:
            await websocket.accept(subprotocol=SUBPROTOCOL if SUBPROTOCOL in websocket.requested_subprotocols else None)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_close_once_ended, auth, user, client)
                await client.run()
                nursery.cancel_scope.cancel()
        except* DISCONNECTED:
            pass
        finally:
            hub.leave(client)

    return routes


async def _close_once_ended(auth: Auth, user: User, client: Client) -> None:
    await auth.ended(user)
    client.close(CloseCode.UNAUTHORIZED, "no longer authorised")
