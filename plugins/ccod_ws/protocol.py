"""What the hub and its clients say to each other: JSON texts, told apart by `type`; times are epoch milliseconds.

The hub closes with 1001 when the daemon stops, with 1008 when a client breaks a rule or leaves a ping unanswered,
with 1013 when a client reads too slowly, and with 4401 when what the client presented is not valid any more.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Literal, NamedTuple, get_args

import msgspec
from msgspec import UNSET, Struct, UnsetType

from ccod_http.web import encode

Channel = Literal["conversations", "projects", "files", "system"]
CHANNELS: tuple[Channel, ...] = get_args(Channel)

ErrorCode = Literal["INVALID_MESSAGE", "UNKNOWN_MESSAGE_TYPE", "UNKNOWN_CHANNEL", "RATE_LIMIT_EXCEEDED"]


class CloseCode(IntEnum):
    GOING_AWAY = 1001
    POLICY = 1008
    OVERLOAD = 1013
    UNAUTHORIZED = 4401


# ---------------------------------------------------------------- from the hub


class Welcome(Struct, frozen=True, tag="welcome", rename="camel"):
    client_id: str
    timestamp: int


class Ping(Struct, frozen=True, tag="ping"):
    timestamp: int


class Pong(Struct, frozen=True, tag="pong"):
    timestamp: int


class Subscribed(Struct, frozen=True, tag="subscribed"):
    channel: str
    timestamp: int


class Unsubscribed(Struct, frozen=True, tag="unsubscribed"):
    channel: str
    timestamp: int


class Broadcast(Struct, frozen=True, tag="broadcast"):
    """`seq` stands on what was stored and orders it over restarts; what is derived from it has none."""

    channel: Channel
    data: Struct
    timestamp: int
    seq: int | UnsetType = UNSET


class Lagged(Struct, frozen=True, tag="lagged"):
    """Some broadcasts were missed: what the client holds may be old."""

    timestamp: int


class Error(Struct, frozen=True, tag="error"):
    code: ErrorCode
    message: str
    timestamp: int


_ENCODER = msgspec.json.Encoder()


class Frame(NamedTuple):
    """A message ready to be sent, to any number of clients."""

    text: str
    size: int


def frame(message: Struct) -> Frame:
    try:
        body = _ENCODER.encode(message)
    except (UnicodeEncodeError, RecursionError):
        body = encode(_members(message))
    return Frame(body.decode(), len(body))


def _members(struct: Struct) -> dict[str, Any]:
    """`encode` mends half characters and bottomless depth, but a struct that it mends loses its tag."""
    config = struct.__struct_config__
    members: dict[str, Any] = {str(config.tag_field): config.tag} if config.tag_field else {}
    for field in msgspec.structs.fields(struct):
        value = getattr(struct, field.name)
        if value is not UNSET:
            members[field.encode_name] = _members(value) if isinstance(value, Struct) else value
    return members


# ---------------------------------------------------------------- from a client


class Subscribe(Struct, frozen=True):
    channel: str


class Unsubscribe(Struct, frozen=True):
    channel: str


class ClientPing(Struct, frozen=True):
    pass


class ClientPong(Struct, frozen=True):
    timestamp: float | None = None


Request = Subscribe | Unsubscribe | ClientPing | ClientPong


class ProtocolError(Exception):
    """A client said what the hub does not understand."""

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class _Kind(Struct):
    type: str


_KIND = msgspec.json.Decoder(_Kind)
_REQUESTS: dict[str, msgspec.json.Decoder[Any]] = {
    "subscribe": msgspec.json.Decoder(Subscribe),
    "unsubscribe": msgspec.json.Decoder(Unsubscribe),
    "ping": msgspec.json.Decoder(ClientPing),
    "pong": msgspec.json.Decoder(ClientPong),
}


def read(message: str | bytes | None) -> Request:
    """Understand a client's message, or raise ProtocolError. An empty binary one may come as None."""
    if not isinstance(message, str):
        raise ProtocolError("INVALID_MESSAGE", "send JSON text, not binary data")
    try:
        decoder = _REQUESTS.get(_KIND.decode(message).type)
        if decoder is None:
            raise ProtocolError("UNKNOWN_MESSAGE_TYPE", f"type is one of: {', '.join(_REQUESTS)}")
        request: Request = decoder.decode(message)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ProtocolError("INVALID_MESSAGE", f"not a message: {error}") from error
    if isinstance(request, Subscribe | Unsubscribe) and request.channel not in CHANNELS:
        raise ProtocolError("UNKNOWN_CHANNEL", f"channel is one of: {', '.join(CHANNELS)}")
    return request
