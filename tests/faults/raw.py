"""A WebSocket client made of bytes: it can be as rude as it likes."""

from __future__ import annotations

import json
import os
import socket
from typing import Self

import trio

HANDSHAKE = (
    "GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
TEXT = 0x81


class RawSocket:
    """A connection over which frames are read and written by hand."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self._stream = stream
        self._read = bytearray()

    @classmethod
    async def connect(cls, port: int, *, window: int | None = None) -> Self:
        """Connect; `window` bounds how much the kernel takes for a client that does not read."""
        sock = trio.socket.socket()
        if window is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        await sock.connect(("127.0.0.1", port))
        return cls(trio.SocketStream(sock))

    @classmethod
    async def subscribed(cls, port: int, channel: str, *, window: int | None = None) -> Self:
        """Connect to the hub, and hear a channel."""
        client = await cls.connect(port, window=window)
        await client.send(HANDSHAKE.format(path="/ws", port=port).encode())
        assert b" 101 " in await client.until(b"\r\n\r\n")
        await client.say(json.dumps({"type": "subscribe", "channel": channel}))
        while not (await client.text()).startswith(b'{"type":"subscribed"'):
            pass
        return client

    async def send(self, data: bytes) -> None:
        await self._stream.send_all(data)

    async def say(self, text: str) -> None:
        await self.send(frame(TEXT, text.encode()))

    async def text(self) -> bytes:
        """Return the payload of the next frame of the server."""
        await self._have(2)
        length, start = self._read[1], 2
        if length >= 126:
            start += 2 if length == 126 else 8
            await self._have(start)
            length = int.from_bytes(self._read[2:start])
        await self._have(start + length)
        payload = bytes(self._read[start : start + length])
        del self._read[: start + length]
        return payload

    async def until(self, end: bytes) -> bytes:
        """Return all up to `end`."""
        while end not in self._read:
            await self._have(len(self._read) + 1)
        at = self._read.index(end) + len(end)
        found = bytes(self._read[:at])
        del self._read[:at]
        return found

    async def skip_until(self, *ends: bytes) -> None:
        """Read on, and keep nothing, until one of `ends` has come."""
        while not any(end in self._read for end in ends):
            del self._read[: -max(map(len, ends))]
            await self._have(len(self._read) + 1)

    async def rest(self) -> bytes:
        """Return all that comes until the server closes."""
        try:
            async for part in self._stream:
                self._read += part
        except trio.BrokenResourceError:
            pass  # the server cut the connection
        return bytes(self._read)

    async def close(self) -> None:
        await self._stream.aclose()

    async def _have(self, count: int) -> None:
        while len(self._read) < count:
            part = await self._stream.receive_some(256 * 1024)
            if not part:
                raise EOFError
            self._read += part


def frame(first: int, payload: bytes, *, masked: bool = True) -> bytes:
    """Return a client's frame; `first` is its first byte."""
    length, bit = len(payload), 0x80 if masked else 0
    if length < 126:
        head = bytes((first, bit | length))
    elif length < 1 << 16:
        head = bytes((first, bit | 126)) + length.to_bytes(2)
    else:
        head = bytes((first, bit | 127)) + length.to_bytes(8)
    if not masked:
        return head + payload
    mask = os.urandom(4)
    return head + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
