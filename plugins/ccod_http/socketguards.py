"""The guards of WebSockets: see `guards`, which puts them in place."""

from __future__ import annotations

from typing import Any

import trio
from hypercorn.protocol.events import Body, Data, EndBody, Request, Response, StreamClosed
from hypercorn.protocol.events import Event as StreamEvent
from hypercorn.protocol.ws_stream import ASGIWebsocketState, FrameTooLargeError, WebsocketBuffer, WSStream
from hypercorn.typing import ASGISendEvent
from wsproto.connection import ConnectionState
from wsproto.events import Message

from ccod_http.deflate import BoundedDeflate
from ccod_http.refusals import error_answer

MAX_MESSAGE = 64 * 1024
"""Longest message that a WebSocket client may send, in bytes: clients only steer."""
MAX_WINDOW_BITS = 15


class GuardedBuffer(WebsocketBuffer):
    """Hypercorn stores before it asks the size, counts characters for bytes, and goes on storing."""

    overflown = False

    def extend(self, event: Message[Any]) -> None:
        size = len(event.data.encode()) if isinstance(event.data, str) else len(event.data)
        length = self.length + size
        self.overflown = self.overflown or length > self.max_length
        if self.overflown:
            self.clear()
            raise FrameTooLargeError
        super().extend(event)
        self.length = length


class GuardedWebSocket(WSStream):
    """Hypercorn keeps a connection open that it has refused, or closed for a message that is too long."""

    buffer: GuardedBuffer

    async def handle(self, event: StreamEvent) -> None:
        if isinstance(event, Request):
            event.state["connection"]["socket"] = self
        await super().handle(event)

    @property
    def deflates(self) -> bool:
        """Whether the client takes messages that are compressed each by itself, with the usual window."""
        if self.state is not ASGIWebsocketState.CONNECTED:
            return False  # it went before it was accepted
        found = (each for each in self.connection._proto.extensions if isinstance(each, MessageDeflate))
        return any(each.enabled() and each.server_max_window_bits == MAX_WINDOW_BITS for each in found)

    async def send_frames(self, frames: bytes) -> None:
        """Send whole frames that were made elsewhere, past the layers that would make each anew for each client."""
        if self.state is ASGIWebsocketState.CONNECTED and self.connection.state is ConnectionState.OPEN:
            await self.send(Data(stream_id=self.stream_id, data=frames))
        else:
            await trio.lowlevel.checkpoint()

    async def _handle_events(self) -> None:
        await super()._handle_events()
        if self.buffer.overflown:
            await self.send(StreamClosed(stream_id=self.stream_id))

    async def app_send(self, message: ASGISendEvent | None) -> None:
        """Hypercorn lets an application that only sends spin for ever once its peer has gone."""
        if self.closed:
            await trio.lowlevel.checkpoint()
        await super().app_send(message)

    async def _send_error_response(self, status_code: int) -> None:
        headers, body = error_answer(status_code)
        await self.send(Response(stream_id=self.stream_id, status_code=status_code, headers=headers))
        await self.send(Body(stream_id=self.stream_id, data=body))
        await self.send(EndBody(stream_id=self.stream_id))
        await self.send(StreamClosed(stream_id=self.stream_id))


class MessageDeflate(BoundedDeflate):
    """Hypercorn inflates without a bound, and keeps a window of 200 KiB for each client."""

    limit = MAX_MESSAGE
