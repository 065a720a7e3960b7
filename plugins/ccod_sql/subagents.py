"""Subagents: what entries tell of them as they come, and all that is known of them when it is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, bindparam, func, select

from ccod import Entry, Spawn, Subagent, Totals
from ccod_sql import messages, rows
from ccod_sql.costs import told
from ccod_sql.tables import conversations, entries, responses, streams, subagents, tool_calls
from ccod_sql.usage import COLUMNS

MERGE = (
    "ON CONFLICT (conversation_id, agent) DO UPDATE SET "
    "agent_type = coalesce(excluded.agent_type, subagents.agent_type), "
    "description = coalesce(excluded.description, subagents.description), "
    "parent_agent = coalesce(excluded.parent_agent, subagents.parent_agent), "
    "depth = coalesce(excluded.depth, subagents.depth), "
    "tool_use_id = CASE WHEN excluded.rank > subagents.rank THEN excluded.tool_use_id ELSE subagents.tool_use_id END, "
    "rank = CASE WHEN excluded.rank > subagents.rank THEN excluded.rank ELSE subagents.rank END"
)
CONVERSATION = select(conversations.c.id).where(conversations.c.key == bindparam("conversation")).scalar_subquery()
IDS = select(streams.c.agent).where(streams.c.conversation_id == CONVERSATION, streams.c.agent != "").distinct()
KNOWN = select(*(subagents.c[name] for name in rows.Subagent.__struct_fields__)).where(
    subagents.c.conversation_id == CONVERSATION
)
SPOKEN = (
    select(entries.c.agent, func.count(), func.min(entries.c.at), func.max(entries.c.at))
    .where(entries.c.conversation_id == CONVERSATION, entries.c.agent != "", entries.c.role.is_not(None))
    .group_by(entries.c.agent)
)
CALLED = (
    select(tool_calls.c.agent, func.count())
    .where(
        tool_calls.c.conversation_id == CONVERSATION, tool_calls.c.agent != "", tool_calls.c.use_entry_id.is_not(None)
    )
    .group_by(tool_calls.c.agent)
)
USED = (
    select(*COLUMNS)
    .where(responses.c.conversation_id == CONVERSATION, responses.c.agent != "")
    .order_by(responses.c.at, responses.c.id)
)
CALLERS = select(
    tool_calls.c.tool_use_id, tool_calls.c.agent, entries.c.uuid, entries.c.stream_id, entries.c.offset
).where(
    tool_calls.c.conversation_id == CONVERSATION,
    tool_calls.c.tool_use_id.in_(select(subagents.c.tool_use_id).where(subagents.c.conversation_id == CONVERSATION)),
    entries.c.id == tool_calls.c.use_entry_id,
)


def told_by(conversation_id: int, told: Iterable[Entry]) -> Sequence[rows.Subagent]:
    """Return what `told` tell of subagents, one row for each."""
    found: dict[str, rows.Subagent] = {}
    for entry in told:
        for spawn in entry.spawns:
            _take(found.setdefault(spawn.agent, rows.Subagent(conversation_id, spawn.agent)), spawn)
    return list(found.values())


def _take(row: rows.Subagent, spawn: Spawn) -> None:
    row.agent_type = spawn.agent_type or row.agent_type
    row.description = spawn.description or row.description
    row.parent_agent = spawn.parent_agent or row.parent_agent
    row.depth = row.depth if spawn.depth is None else spawn.depth
    if spawn.tool_use_id and spawn.rank > row.rank:
        row.tool_use_id, row.rank = spawn.tool_use_id, spawn.rank


def find(connection: Connection, conversation_id: str) -> Sequence[Subagent]:
    """Return the subagents of a conversation, in the order in which they started."""
    of = {"conversation": conversation_id}
    ids = connection.scalars(IDS, of).all()
    if not ids:
        return ()
    known = {row.agent: row for row in (rows.Subagent(*values) for values in connection.execute(KNOWN, of))}
    spoken = {agent: counted for agent, *counted in connection.execute(SPOKEN, of)}
    called = dict(map(tuple, connection.execute(CALLED, of)))
    totals: dict[str, Totals] = {}
    models: dict[str, str] = {}
    for row in (rows.Response(*values) for values in connection.execute(USED, of)):
        totals[row.agent] = totals.get(row.agent, Totals()) + Totals.of(told(row), row.cost_nanos)
        if not told(row).is_notice:
            models[row.agent] = row.model
    callers = _callers(connection, of)
    found = []
    for id_ in ids:
        about = known.get(id_) or rows.Subagent(0, id_)
        caller, message_id = callers.get(about.tool_use_id or "", (about.parent_agent, None))
        count, started, ended = spoken.get(id_, (0, None, None))
        found.append(
            Subagent(
                id=id_,
                agent_type=about.agent_type,
                description=about.description,
                tool_use_id=about.tool_use_id,
                message_id=message_id,
                parent=caller or None,
                depth=about.depth,
                message_count=count,
                tool_call_count=called.get(id_, 0),
                totals=totals.get(id_, Totals()),
                started_at=started,
                ended_at=ended,
                model=models.get(id_),
            )
        )
    return sorted(found, key=lambda each: (each.started_at is None, each.started_at or 0, each.id))


def _callers(connection: Connection, of: dict[str, str]) -> dict[str, tuple[str, str]]:
    """Return by the id of a call who made it, and in which message. A copy of a call counts for less than its own."""
    callers: dict[str, tuple[str, str]] = {}
    for call, agent, uuid, stream_id, offset in sorted(connection.execute(CALLERS, of), key=lambda row: row.agent):
        callers.setdefault(call, (agent, messages.message_id(uuid, stream_id, offset)))
    return callers
