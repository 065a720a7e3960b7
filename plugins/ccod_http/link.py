"""What a plugin may do with the connection below its answer: the face of `guards` for whoever streams."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from quart import websocket

from ccod_http.callers import client_address
from ccod_http.frames import Frame
from ccod_http.gate import connection_of
from ccod_http.problems import current

SUBPROTOCOL = "ccod"
"""What a browser must offer beside `bearer.<token>`: it takes no answer that chooses none of its offers."""


class Link(Protocol):
    """A connection, for as long as it lasts."""

    @property
    def stalled(self) -> float:
        """For how many seconds the peer has taken nothing of what waits for it."""

    @property
    def sent(self) -> int:
        """Bytes that were written."""

    def abort(self) -> None:
        """Cut the connection: no other way leads out of a write to a peer that does not read."""


class Channel(Protocol):
    """A WebSocket, as `socketguards.GuardedWebSocket` offers it."""

    @property
    def deflates(self) -> bool: ...

    async def send_frames(self, frames: bytes) -> None: ...


class WebSocket:
    """The current WebSocket. Frames are sent as they were made, several of them in one write."""

    def __init__(self) -> None:
        self._websocket = websocket._get_current_object()  # type: ignore[attr-defined]
        connection = connection_of(websocket)
        self.link: Link = connection["link"]
        self._channel: Channel = connection["socket"]

    async def accept(self) -> None:
        offered = self._websocket.requested_subprotocols
        await self._websocket.accept(subprotocol=SUBPROTOCOL if SUBPROTOCOL in offered else None)

    async def receive(self) -> str | bytes | None:
        """Return the next message. An empty binary one may come as None."""
        message: str | bytes | None = await self._websocket.receive()
        return message

    async def send(self, frames: Iterable[Frame]) -> None:
        deflates = self._channel.deflates
        await self._channel.send_frames(b"".join(each.deflated if deflates else each.plain for each in frames))

    async def close(self, code: int, reason: str) -> None:
        await self._websocket.close(code, reason)


def current_link() -> Link:
    """Return the connection of the current request or WebSocket."""
    link: Link = connection_of(current())["link"]
    return link


def current_address() -> str:
    """Return where the current request or WebSocket comes from: an IP address, or `unix`."""
    address = client_address()
    return "unix" if address is None else str(address)
