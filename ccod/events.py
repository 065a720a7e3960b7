"""What happened and was stored, as the bus tells it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from ccod.model import Batch, State
from ccod.stored import Message

EventKind = Literal[
    "project_discovered",
    "project_updated",
    "conversation_started",
    "message_added",
    "conversation_state_changed",
    "conversation_ended",
    "conversation_forgotten",
    "project_forgotten",
]


class StateChange(Struct, frozen=True):
    """A conversation went over from one state into another."""

    before: State
    after: State
    reason: str


class Ending(Struct, frozen=True):
    """What a conversation was when nothing more was to be expected of it. It may go on all the same."""

    duration_ms: int
    message_count: int
    tool_call_count: int
    ended_at: int


class Event(Struct, frozen=True):
    """One thing that happened and was stored. `seq` grows by one order for all events, over restarts too.

    `machine` is that of the conversation or project, None where nobody knows it any more.
    """

    seq: int
    kind: EventKind
    at: int
    conversation_id: str | None = None
    project_id: str | None = None
    message: Message | None = None
    detail: StateChange | Ending | None = None
    machine: str | None = None


class Position(Struct, frozen=True):
    """A place in the order of events: all up to `seq` come before it. Another `epoch` is another database, where the
    same number means another event."""

    epoch: str
    seq: int


class FileChange(Struct, frozen=True):
    """What happened to a transcript file, as its source saw it. `machine` is where that is, None where nobody knows."""

    type: Literal["add", "change", "unlink"]
    path: str
    size: int
    machine: str | None = None

    @classmethod
    def of(cls, batch: Batch, machine: str | None = None) -> FileChange | None:
        if batch.change is None:
            return None
        return cls("change" if batch.change == "rewrite" else batch.change, batch.stream.path, batch.size, machine)


class Stored(Struct, frozen=True):
    """What one batch changed: the new events in order, and the ids of what now reads differently."""

    events: Sequence[Event] = ()
    conversations: Sequence[str] = ()
    projects: Sequence[str] = ()
    file: FileChange | None = None
