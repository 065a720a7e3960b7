"""The twin of the WebSocket for whoever only listens: server-sent events, which `curl -N` shows."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from http import HTTPStatus

import trio
from msgspec import Struct

from ccod_http.web import Link, Problem, epoch_ms
from ccod_ws.guests import Guest, Origin
from ccod_ws.hub import RECONNECT_MS, Hub
from ccod_ws.listener import Listener
from ccod_ws.protocol import ProtocolError, Wanted, Welcome, find_channel, understand

HEARTBEAT_SECONDS = 15.0
HEARTBEAT = b": still here\n\n"
BEGINNING = b"retry: %d\n\n" % RECONNECT_MS


class EventsQuery(Struct, rename="camel"):
    """Lists are separated by commas. `since` is a `seq`, or a time: what was stored from then on."""

    channel: str = "conversations"
    project_id: str = ""
    conversation_id: str = ""
    types: str = ""
    since: str | None = None
    epoch: str | None = None
    ticket: str | None = None


class Stream(Guest):
    """One answer that does not end."""

    kind = "sse"

    def __init__(self, hub: Hub, link: Link, origin: Origin) -> None:
        super().__init__(hub.next_name(), origin, Listener(hub, origin.look), link)
        self._hub = hub

    async def choose(self, query: EventsQuery, last_event_id: str | None) -> None:
        """Hear what a request asks for, or raise the Problem that says what is wrong with it.

        All channels are one subscription, so that ids grow; with the last one of them a client goes on.
        """
        wanted = Wanted(_listed(query.project_id), _listed(query.conversation_id), _listed(query.types))
        try:
            channels = [find_channel(self._hub.channels, name) for name in _listed(query.channel)]
            since = await self._hub.place(query.since if last_event_id is None else last_event_id)
            self.listener.say(Welcome(self.name, epoch_ms(), self._hub.epoch, self._hub.position))
            self.listener.subscribe(channels, understand(wanted, channels), since, query.epoch)
        except ProtocolError as error:
            raise Problem(HTTPStatus.BAD_REQUEST, error.code, error.message) from error

    def _leave(self) -> None:
        """The answer ends by itself, once what waits is sent."""

    async def body(self) -> AsyncGenerator[bytes, None]:
        try:
            self._hub.join(self)
        except Problem:
            return  # the last place was taken after this request had been checked
        try:
            yield BEGINNING
            while not self.listener.outbox.closed or self.listener.outbox:
                yield await self._portion()
        finally:
            self._hub.leave(self)

    async def _portion(self) -> bytes:
        portion = HEARTBEAT
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.leave_once_ended, self._hub.auth)
            with trio.move_on_after(HEARTBEAT_SECONDS):
                portion = b"".join(frame.sse for frame in await self.listener.take())
            nursery.cancel_scope.cancel()
        return portion


def _listed(text: str) -> list[str]:
    return [item for item in text.split(",") if item]
