"""What the hub and its clients say to each other: JSON texts, told apart by `type`; times are epoch milliseconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType, field

from ccod_ws.channels import Channel
from ccod_ws.filters import Filter, FilterError, make_filter

ErrorCode = Literal[
    "INVALID_MESSAGE",
    "UNKNOWN_MESSAGE_TYPE",
    "UNKNOWN_CHANNEL",
    "INVALID_FILTER",
    "INVALID_SINCE",
    "RATE_LIMIT_EXCEEDED",
]


class CloseCode(IntEnum):
    """Why the hub closes a connection, as RFC 6455 numbers it."""

    GOING_AWAY = 1001
    POLICY = 1008
    OVERLOAD = 1013
    UNAUTHORIZED = 4401


# ---------------------------------------------------------------- from the hub


class Welcome(Struct, frozen=True, tag="welcome", rename="camel"):
    """`seq` is the last stored event; another `epoch` than before is another database, whose events count anew."""

    client_id: str
    timestamp: int
    epoch: str
    seq: int


class Ping(Struct, frozen=True, tag="ping"):
    timestamp: int


class Pong(Struct, frozen=True, tag="pong"):
    timestamp: int


class Subscribed(Struct, frozen=True, tag="subscribed"):
    """Events after `seq` come as they happen; those from `since` on up to it come first."""

    channel: str
    timestamp: int
    seq: int


class Unsubscribed(Struct, frozen=True, tag="unsubscribed"):
    channel: str
    timestamp: int


class Broadcast(Struct, frozen=True, tag="broadcast", rename="camel"):
    """`seq` stands on what was stored and orders it over restarts. What is derived has none: it reflects at least all
    stored events up to `asOf`. The `timestamp` of a stored event is when it was stored."""

    channel: str
    data: Struct
    timestamp: int
    seq: int | UnsetType = UNSET
    as_of: int | UnsetType = UNSET


class Lagged(Struct, frozen=True, tag="lagged"):
    """The client reads too slowly. Stored events after `from` follow without a hole; what else came was left out."""

    channel: str
    after: int = field(name="from")
    timestamp: int


class Live(Struct, frozen=True, tag="live"):
    """All stored events up to `seq` were sent; from here on they come as they happen, and all else comes again."""

    channel: str
    seq: int
    timestamp: int


class Error(Struct, frozen=True, tag="error"):
    code: ErrorCode
    message: str
    timestamp: int


# ---------------------------------------------------------------- from a client


class Wanted(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The filter of a subscription: an id, or a list of ids, and the names of events."""

    project_id: str | list[str] = []
    conversation_id: str | list[str] = []
    types: list[str] = []


class Subscribe(Struct, frozen=True):
    """`since` is the `seq` after which to go on, or a time as ISO text: what was stored from then on."""

    channel: str
    filter: Wanted = Wanted()
    since: int | str | None = None
    epoch: str | None = None


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


REQUESTS: Mapping[str, type[Request]] = {
    "subscribe": Subscribe,
    "unsubscribe": Unsubscribe,
    "ping": ClientPing,
    "pong": ClientPong,
}
_KIND = msgspec.json.Decoder(_Kind)
_DECODERS = {name: msgspec.json.Decoder(kind) for name, kind in REQUESTS.items()}


def read(message: str | bytes | None) -> Request:
    """Understand a client's message, or raise ProtocolError. An empty binary one may come as None."""
    if not isinstance(message, str):
        raise ProtocolError("INVALID_MESSAGE", "send JSON text, not binary data")
    try:
        decoder = _DECODERS.get(_KIND.decode(message).type)
        if decoder is None:
            raise ProtocolError("UNKNOWN_MESSAGE_TYPE", f"type is one of: {', '.join(REQUESTS)}")
        request: Request = decoder.decode(message)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ProtocolError("INVALID_MESSAGE", f"not a message: {error}") from error
    return request


def find_channel(channels: Mapping[str, Channel], name: str) -> Channel:
    """Return the channel of a name, or raise ProtocolError."""
    channel = channels.get(name)
    if channel is None:
        raise ProtocolError("UNKNOWN_CHANNEL", f"channel is one of: {', '.join(channels)}")
    return channel


def understand(wanted: Wanted, channels: Sequence[Channel]) -> Filter:
    """Return the filter that a client asks for of all these channels, or raise ProtocolError."""
    if not channels:
        raise ProtocolError("UNKNOWN_CHANNEL", "name a channel")
    about = set.intersection(*(set(channel.about) for channel in channels))
    known = {name for channel in channels for name in channel.events}
    projects, conversations = _listed(wanted.project_id), _listed(wanted.conversation_id)
    try:
        return make_filter(about, known, projects, conversations, wanted.types)
    except FilterError as error:
        raise ProtocolError("INVALID_FILTER", f"{channels[-1].name}: {error}") from error


def _listed(ids: str | list[str]) -> list[str]:
    return [ids] if isinstance(ids, str) else ids
