"""Names conversations after summaries, which stand in one file and mean the conversation that holds their leaf.

A summary is kept for good: the conversation it means may come later, or be derived again. Of several that mean one
conversation, that of the latest leaf names it, whichever came first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, Dialect, bindparam, exists, select, update

from ccod import Entry
from ccod_sql import rows
from ccod_sql.rows import Rows, portions
from ccod_sql.tables import conversations, entries, summaries

AGAIN = "ON CONFLICT (conversation_id, leaf) DO UPDATE SET title = excluded.title, rank = excluded.rank"
HOLDERS = select(conversations.c.id).where(
    exists().where(
        entries.c.conversation_id == conversations.c.id,
        entries.c.uuid.in_(bindparam("leaves", expanding=True)),
        entries.c.agent == "",
    )
)
NAME = (
    select(summaries.c.title, summaries.c.rank)
    .join_from(summaries, entries, entries.c.uuid == summaries.c.leaf)
    .join(conversations, conversations.c.id == summaries.c.conversation_id)
    .where(entries.c.conversation_id == bindparam("conversation"), entries.c.agent == "")
    .order_by(summaries.c.rank.desc(), entries.c.at.desc(), entries.c.uuid.desc(), conversations.c.key.desc())
    .limit(1)
)
NAMED = (
    update(conversations)
    .where(
        conversations.c.id == bindparam("conversation"),
        conversations.c.title_rank <= bindparam("least"),
        conversations.c.title != bindparam("name"),
    )
    .values(title=bindparam("name"), title_rank=bindparam("least"))
    .returning(conversations.c.key)
)


class Naming:
    """Knows the leaves of all summaries while it is alone, so that a batch without any of them costs nothing.

    Once another daemon wrote it is not `is_alone`, and asks for each batch.
    """

    def __init__(self, dialect: Dialect) -> None:
        self._summaries = Rows(dialect, summaries, rows.Summary)
        self._leaves: set[str] | None = None
        self.is_alone = True

    def name(self, connection: Connection, conversation: rows.Conversation, told: Sequence[Entry]) -> Sequence[str]:
        """Name `conversation`, whose own entries `told` were stored just now, and others; return the keys of those."""
        leaves = self._leaves_among(connection, told)
        found = {
            entry.title.leaf: rows.Summary(conversation.id, entry.title.leaf, entry.title.text, entry.title.rank)
            for entry in told
            if entry.title and entry.title.leaf
        }
        holders = self._holders(connection, self._unheard(connection, found.values())) if found else set()
        self._summaries.insert(connection, found.values(), or_else=AGAIN)
        leaves.update(found)
        if leaves and any(entry.uuid in leaves for entry in told):
            holders.add(conversation.id)
        if conversation.id in holders:
            _name_this(connection, conversation)
        others = (_name_other(connection, id_) for id_ in holders - {conversation.id})
        return [key for key in others if key]

    def _leaves_among(self, connection: Connection, told: Sequence[Entry]) -> set[str]:
        """Return the leaves that there are, those that are not among `told` perhaps left out."""
        if not self.is_alone:
            uuids = (entry.uuid for entry in told if entry.uuid)
            return {row.leaf for row in self._summaries.find_in(connection, "leaf", uuids)}
        if self._leaves is None:
            self._leaves = set(connection.scalars(select(summaries.c.leaf)))
        return self._leaves

    def _unheard(self, connection: Connection, found: Iterable[rows.Summary]) -> list[str]:
        """Return the leaves of what is new: files repeat what others say, and those it means have that name."""
        leaves = {row.leaf: row.title for row in found}
        heard = {(row.leaf, row.title) for row in self._summaries.find_in(connection, "leaf", leaves)}
        return [leaf for leaf, title in leaves.items() if (leaf, title) not in heard]

    def _holders(self, connection: Connection, leaves: Sequence[str]) -> set[int]:
        return {id_ for some in portions(leaves) for id_ in connection.scalars(HOLDERS, {"leaves": some})}


def _name_this(connection: Connection, conversation: rows.Conversation) -> None:
    name = connection.execute(NAME, {"conversation": conversation.id}).first()
    if name is not None and name.rank >= conversation.title_rank:
        conversation.title, conversation.title_rank = name.title, name.rank


def _name_other(connection: Connection, id_: int) -> str | None:
    """Return the key of the conversation if it got another name."""
    name = connection.execute(NAME, {"conversation": id_}).first()
    if name is None:
        return None
    key: str | None = connection.scalar(NAMED, {"conversation": id_, "least": name.rank, "name": name.title})
    return key
