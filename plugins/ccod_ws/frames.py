"""A message of the hub, encoded once for all who hear it."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import msgspec
from msgspec import UNSET, Struct

from ccod_http.web import Frame as Wire
from ccod_http.web import encode

_ENCODER = msgspec.json.Encoder()


class Frame(Wire):
    """A message as a frame of a WebSocket and as a server-sent event. `seq` is that of a stored event."""

    def __init__(self, body: bytes, seq: int | None = None) -> None:
        super().__init__(body)
        self.seq = seq

    @cached_property
    def sse(self) -> bytes:
        """JSON has no line breaks, so that one `data` line holds it."""
        numbered = b"" if self.seq is None else b"id: %d\n" % self.seq
        return numbered + b"data: " + self.body + b"\n\n"


def frame(message: Struct, seq: int | None = None) -> Frame:
    try:
        body = _ENCODER.encode(message)
    except (UnicodeEncodeError, RecursionError):
        body = encode(_members(message))
    return Frame(body, seq)


def _members(struct: Struct) -> dict[str, Any]:
    """`encode` mends half characters and bottomless depth, but a struct that it mends loses its tag."""
    config = struct.__struct_config__
    members: dict[str, Any] = {str(config.tag_field): config.tag} if config.tag_field else {}
    for field in msgspec.structs.fields(struct):
        value = getattr(struct, field.name)
        if value is not UNSET:
            members[field.encode_name] = _members(value) if isinstance(value, Struct) else value
    return members
