"""WebSocket compression that costs no memory between messages and cannot be blown up by one."""

from __future__ import annotations

import zlib
from typing import Any

from wsproto.extensions import PerMessageDeflate
from wsproto.frame_protocol import CloseReason, FrameDecoder, FrameProtocol, Opcode, RsvBits


class BoundedInflate:
    """A decompressor for one message, which it calls damaged once that is longer than `limit`."""

    def __init__(self, window_bits: int, limit: int) -> None:
        self._zlib = zlib.decompressobj(-window_bits)
        self._room = limit

    def decompress(self, data: bytes) -> bytes:
        inflated = self._zlib.decompress(data, self._room + 1)
        self._room -= len(inflated)
        if self._room < 0:
            raise zlib.error("message too long")
        return inflated

    def flush(self) -> bytes:
        return b""  # `decompress` gives all there is


class BoundedDeflate(PerMessageDeflate):
    """Compression with no window kept from one message to the next, in either direction."""

    limit: int

    def __init__(self) -> None:
        super().__init__(client_no_context_takeover=True, server_no_context_takeover=True)

    def accept(self, offer: str) -> bool | str | None:
        try:
            return super().accept(offer)
        except ValueError:
            return None  # a parameter that is no number: declined

    def frame_inbound_header(
        self, proto: FrameDecoder | FrameProtocol, opcode: Opcode, rsv: RsvBits, payload_length: int
    ) -> CloseReason | RsvBits:
        answer = super().frame_inbound_header(proto, opcode, rsv, payload_length)
        inflate: Any = self._decompressor
        if inflate is not None and not isinstance(inflate, BoundedInflate):
            inflate = BoundedInflate(self.client_max_window_bits, self.limit)
            self._decompressor = inflate
        return answer
