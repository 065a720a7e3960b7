"""What is read from a storage of all conversations together: figures of spans of time, kept as the entries come.

They hold what subagents did, too. Each API response counts once, whatever copies of it there are; a message or a tool
call counts in every conversation that shows it, and at the time at which it was written.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import astuple

from ccod.model import Key
from ccod.stored import Conversation, Totals

QUARTER_MS = 15 * 60 * 1000
"""Figures are kept by quarters of an hour, counted from 1970 on: every time zone begins its days with one."""


class FigureQuery(Struct, frozen=True):
    """Which figures: of the spans between neighbouring `edges`, which grow and are multiples of `QUARTER_MS`."""

    edges: Sequence[int]
    project_id: str | None = None
    model: str | None = None
    machines: frozenset[str] | None = None


class SessionQuery(Struct, frozen=True):
    """Whose usage: that of conversations which used something from `start` to before `end`, multiples of `QUARTER_MS`.

    Those that went on last come first.
    """

    start: int
    end: int
    project_id: str | None = None
    model: str | None = None
    offset: int = 0
    limit: int = 20
    after: Key | None = None
    machines: frozenset[str] | None = None


class ModelUsage(Struct, frozen=True):
    """What was used of one model."""

    model: str
    totals: Totals


class SpanUsage(Struct, frozen=True):
    """What was used of one model in the span that begins at `start`."""

    start: int
    model: str
    totals: Totals


class SessionUsage(Struct, frozen=True):
    """What of a conversation counts in totals over conversations, in some span of time."""

    conversation: Conversation
    models: Sequence[ModelUsage]


class Figures(Struct, frozen=True):
    """What went on: `conversation_count` conversations in which something was said, and what they amount to."""

    conversation_count: int = 0
    user_message_count: int = 0
    assistant_message_count: int = 0
    tool_call_count: int = 0
    tool_pending_count: int = 0
    tool_error_count: int = 0
    totals: Totals = Totals()

    def __add__(self, other: Figures) -> Figures:
        """Add what went on in other conversations, or what else went on in these."""
        return Figures(*map(operator.add, astuple(self), astuple(other)))


class ProjectFigures(Struct, frozen=True):
    """What went on in one project; both names are None for what belongs to none yet."""

    project_id: str | None
    project_name: str | None
    last_activity: int | None
    figures: Figures


class ToolFigures(Struct, frozen=True):
    """Calls of one tool; `duration_ms` is the sum of `timed_count` known durations."""

    name: str
    call_count: int
    pending_count: int
    error_count: int
    timed_count: int
    duration_ms: int


class Overview(Struct, frozen=True):
    """What went on over all conversations.

    `spans` holds by their starts those in which something went on. `average_duration_ms` is that of the conversations
    from first to last entry, also where that reaches beyond the time asked for; None where there are none.
    """

    figures: Figures
    average_duration_ms: int | None
    spans: Sequence[tuple[int, Figures]]
    projects: Sequence[ProjectFigures]
    models: Sequence[ModelUsage]
    tools: Sequence[ToolFigures]
