"""Reads what went on in a conversation: turns and calls of tools."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, select

from ccod import Activity, Times, ToolStatistics
from ccod_sql.tables import conversations, entries, tool_calls

CONVERSATION = select(conversations.c.id).where(conversations.c.key == bindparam("conversation")).scalar_subquery()
CALLS = select(
    tool_calls.c.name,
    tool_calls.c.is_error,
    tool_calls.c.result_entry_id.is_(None).label("pending"),
    tool_calls.c.duration_ms,
).where(
    tool_calls.c.conversation_id == CONVERSATION,
    tool_calls.c.agent == "",
    tool_calls.c.use_entry_id.is_not(None),
)
RESULTS = select(tool_calls.c.result_entry_id).where(
    tool_calls.c.conversation_id == CONVERSATION, tool_calls.c.agent == "", tool_calls.c.result_entry_id.is_not(None)
)
IN_ORDER = (entries.c.at, entries.c.id)
SPOKEN = (
    select(
        entries.c.role,
        entries.c.at,
        func.lag(entries.c.role).over(order_by=IN_ORDER).label("role_before"),
        func.lag(entries.c.at).over(order_by=IN_ORDER).label("at_before"),
    )
    .where(
        entries.c.conversation_id == CONVERSATION,
        entries.c.agent == "",
        entries.c.role.is_not(None),
        ~entries.c.sidechain,
        ~entries.c.meta,
        entries.c.id.not_in(RESULTS),
    )
    .subquery()
)
TURNS = select(SPOKEN.c.at - SPOKEN.c.at_before).where(SPOKEN.c.role == "assistant", SPOKEN.c.role_before == "user")


def of(connection: Connection, conversation_id: str) -> Activity:
    """Return what went on in a conversation, its subagents apart."""
    values = {"conversation": conversation_id}
    calls = connection.execute(CALLS, values).all()
    named: dict[str, list[Row[Any]]] = defaultdict(list)
    for call in calls:
        named[call.name].append(call)
    tools = [_statistics(name, some) for name, some in named.items()]
    tools.sort(key=lambda tool: (-tool.count, tool.name))
    waits = sorted(connection.scalars(TURNS, values))
    return Activity(len(waits), _statistics("", calls), tools, _times(waits))


def _times(ordered: Sequence[int]) -> Times:
    average = round(sum(ordered) / len(ordered)) if ordered else None
    return Times(len(ordered), average, _percentile(ordered, 50), _percentile(ordered, 95))


def _statistics(name: str, calls: Sequence[Row[Any]]) -> ToolStatistics:
    durations = sorted(call.duration_ms for call in calls if call.duration_ms is not None)
    return ToolStatistics(
        name=name,
        count=len(calls),
        error_count=sum(call.is_error for call in calls),
        pending_count=sum(call.pending for call in calls),
        median_ms=_percentile(durations, 50),
        p95_ms=_percentile(durations, 95),
    )


def _percentile(ordered: Sequence[int], percent: int) -> int | None:
    """Return the least value that `percent` of all do not exceed."""
    return ordered[-(-percent * len(ordered) // 100) - 1] if ordered else None
