"""What is sent of events, in bodies that are not too large."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec
from msgspec import Struct

from ccod import Content, Ending, Event, Message, StateChange

Say = Callable[[Message], Content]
ENVELOPE = 256
"""Bytes that a body needs beside its events."""


class MessageJson(Struct, rename="camel", omit_defaults=True):
    id: str
    role: str
    at: int
    model: str | None = None
    agent: str | None = None
    text: str | None = None
    truncated: bool = False


class EventJson(Struct, rename="camel", omit_defaults=True):
    """`epoch` and `seq` name an event for ever, should it come twice. Times are milliseconds since 1970, UTC."""

    epoch: str
    seq: int
    event: str
    at: int
    conversation_id: str | None = None
    project_id: str | None = None
    message: MessageJson | None = None
    detail: StateChange | Ending | None = None


class Body(Struct):
    """One request: `raw` is its body, that bears the events from `first` to `last`."""

    first: int
    last: int
    raw: bytes


def bodies(epoch: str, events: Sequence[Event], say: Say | None, most: int) -> Iterator[Body]:
    """Yield bodies of at most `most` bytes, in order. A text that is too long for one is cut."""
    encoded = [(event.seq, _encoded(epoch, event, say, most - ENVELOPE)) for event in events]
    start = size = 0
    for number, (_, raw) in enumerate(encoded):
        if number > start and size + len(raw) + 1 > most - ENVELOPE:
            yield _body(encoded[start:number])
            start, size = number, 0
        size += len(raw) + 1
    if encoded[start:]:
        yield _body(encoded[start:])


def _body(encoded: Sequence[tuple[int, bytes]]) -> Body:
    raw = b'{"schemaVersion":1,"events":[' + b",".join(raw for _, raw in encoded) + b"]}"
    return Body(encoded[0][0], encoded[-1][0], raw)


def _encoded(epoch: str, event: Event, say: Say | None, most: int) -> bytes:
    shown = EventJson(epoch, event.seq, event.kind, event.at, event.conversation_id, event.project_id)
    shown.detail = event.detail
    if event.message is not None:
        said = event.message
        text = say(said).text if say else None
        shown.message = MessageJson(said.id, said.role, said.at, said.model, said.agent, text)
    raw = msgspec.json.encode(shown)
    if len(raw) > most and shown.message is not None and shown.message.text:
        room = most - (len(raw) - len(msgspec.json.encode(shown.message.text)))
        shown.message.text = shown.message.text[: max(0, room // 6 - 16)]  # a character takes six bytes at most
        shown.message.truncated = True
        raw = msgspec.json.encode(shown)
    return raw
