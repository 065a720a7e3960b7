"""Reads the knots of a conversation's tree."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, select

from ccod import Node
from ccod_sql.tables import conversations, entries

COLUMNS = ("uuid", "parent", "logical_parent", "type", "subtype", "role", "at", "agent", "sidechain", "meta")
NODES = (
    select(*(entries.c[name] for name in COLUMNS))
    .where(
        entries.c.conversation_id
        == select(conversations.c.id).where(conversations.c.key == bindparam("conversation")).scalar_subquery(),
        entries.c.uuid.is_not(None),
        ~entries.c.duplicate,
    )
    .order_by(entries.c.agent, entries.c.id)
)


def find(connection: Connection, conversation_id: str) -> Sequence[Node]:
    """Return the entries with a uuid; one that a subagent copied from its conversation stays where it began."""
    found: dict[str, Node] = {}
    for id_, parent, logical, type_, subtype, role, at, agent, sidechain, meta in connection.execute(
        NODES, {"conversation": conversation_id}
    ):
        if id_ not in found:
            found[id_] = Node(id_, parent, logical, type_, subtype, role, at, agent or None, sidechain, meta)
    return list(found.values())
