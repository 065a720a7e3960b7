"""Frames of a WebSocket as bytes, made once for any number of clients. RFC 6455 §5.2, RFC 7692 §7.2.1."""

from __future__ import annotations

import zlib
from functools import cached_property

WORTH_DEFLATING = 1024
FAST = 1
TAIL = b"\x00\x00\xff\xff"
TEXT, DEFLATED_TEXT = 0x81, 0xC1


class Frame:
    """A text message of the server, as it goes over the wire; compressed only once somebody wants it so."""

    def __init__(self, body: bytes) -> None:
        self.plain = _head(TEXT, len(body)) + body
        self._start = len(self.plain) - len(body)

    @property
    def body(self) -> bytes:
        return self.plain[self._start :]

    @property
    def size(self) -> int:
        return len(self.plain)

    @cached_property
    def deflated(self) -> bytes:
        """The frame for a client that inflates; a server may leave uncompressed what does not get smaller."""
        if self.size < WORTH_DEFLATING:
            return self.plain
        deflate = zlib.compressobj(FAST, zlib.DEFLATED, -zlib.MAX_WBITS)
        packed = deflate.compress(self.body) + deflate.flush(zlib.Z_SYNC_FLUSH)
        packed = packed.removesuffix(TAIL)
        return _head(DEFLATED_TEXT, len(packed)) + packed if len(packed) < self.size else self.plain


def _head(first: int, length: int) -> bytes:
    if length < 126:
        return bytes((first, length))
    if length < 1 << 16:
        return bytes((first, 126)) + length.to_bytes(2)
    return bytes((first, 127)) + length.to_bytes(8)
