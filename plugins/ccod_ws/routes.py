"""The routes of the WebSocket and of its twin, and of who is connected."""

from __future__ import annotations

import quart.wrappers
from msgspec import Struct
from quart import Response, request

from ccod_http.web import (
    Routes,
    Ticket,
    WebSocket,
    current_address,
    current_link,
    current_look,
    current_user,
    issue_ticket,
)
from ccod_ws.asyncapi import describe
from ccod_ws.client import Client
from ccod_ws.guests import Origin
from ccod_ws.hub import Hub
from ccod_ws.settings import WsSettings
from ccod_ws.sse import EventsQuery, Stream
from ccod_ws.status import ClientJson, StatusJson, client_json, status_json

DISCONNECTED: type[Exception] = getattr(quart.wrappers, "ClientDisconnectedError", ConnectionError)
"""Raised from Quart 0.23 on where Quart before it cancels the handler: the client has gone."""


class SocketQuery(Struct):
    """The parameters of the WebSocket itself."""

    ticket: str | None = None


def blueprint(hub: Hub, settings: WsSettings) -> Routes:
    routes = Routes("ws", __name__)

    @routes.websocket("/ws", access="read")
    async def connect(query: SocketQuery) -> None:  # noqa: ARG001 - says what the URL may hold
        """Be told at once of whatever is stored."""
        socket = WebSocket()
        client = Client(hub, socket, _origin(), settings)
        hub.join(client)
        try:
            await socket.accept()
            await client.run()
        except* DISCONNECTED:
            pass
        finally:
            hub.leave(client)

    @routes.get("/api/events", access="read", media=["text/event-stream"], errors=[503])
    async def events(query: EventsQuery) -> Response:
        """Be told at once of whatever is stored, by server-sent events.

        The id of an event is its `seq`: `Last-Event-ID` goes on after it.
        """
        stream = Stream(hub, current_link(), _origin())
        hub.check(stream)
        await stream.choose(query, request.headers.get("Last-Event-ID"))
        answer = Response(stream.body(), content_type="text/event-stream; charset=utf-8")
        answer.timeout = None
        return answer

    @routes.post("/api/websocket/ticket", access="read", secret=True, status=201)
    async def ticket() -> Ticket:
        """Get a ticket by which one WebSocket or event stream comes in without a token: `?ticket=…`."""
        return issue_ticket()

    @routes.get("/api/websocket/status", access="admin")
    async def status() -> StatusJson:
        """Tell how many are connected, and how well they keep up."""
        return status_json(hub)

    @routes.get("/api/websocket/clients", access="admin")
    async def clients() -> list[ClientJson]:
        """List who is connected, the longest first."""
        return [client_json(guest) for guest in sorted(hub.guests, key=lambda guest: guest.since)]

    @routes.get("/asyncapi.json", access="public", media=["application/json"])
    async def asyncapi() -> Response:
        """Describe the WebSocket's messages as AsyncAPI 3."""
        return Response(description, content_type="application/json")

    description = describe(hub.channels)
    return routes


def _origin() -> Origin:
    return Origin(current_address(), current_user(), current_look())
