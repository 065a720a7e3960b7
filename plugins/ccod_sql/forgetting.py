"""Removes what a person wants forgotten, and sees to it that it does not come back."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, Dialect, delete, func, insert, select, update

from ccod import Batch, Event, Stored
from ccod_sql import indexing, ownership, rows, tables
from ccod_sql.quarters import QuarterTables
from ccod_sql.rows import Rows
from ccod_sql.tables import conversations, events, forgotten_streams, machines, projects, responses, streams, tombstones

AGAIN = (
    "ON CONFLICT (machine_id, source, key) "
    "DO UPDATE SET path = excluded.path, position = excluded.position, state = excluded.state"
)


class Forgetting:
    """Knows what is forgotten. Its caller holds the transaction."""

    def __init__(self, dialect: Dialect) -> None:
        self._streams = Rows(dialect, forgotten_streams, rows.ForgottenStream)
        self._tombstones = Rows(dialect, tombstones, rows.Tombstone)
        self._responses = Rows(dialect, responses, rows.Response)
        self._quarters = QuarterTables(dialect)

    def forget_conversation(self, connection: Connection, key: str, now: int) -> Stored | None:
        """Remove a conversation and put a tombstone in its place."""
        found = connection.execute(
            select(conversations.c.id, conversations.c.project_id, projects.c.key, machines.c.id, machines.c.name)
            .select_from(
                conversations.join(machines, machines.c.id == conversations.c.machine_id).outerjoin(
                    projects, projects.c.id == conversations.c.project_id
                )
            )
            .where(conversations.c.key == key)
        ).first()
        if found is None:
            return None
        id_, project_id, project, machine_id, machine = found
        self._remove(connection, id_)
        count_conversations(connection, project_id)
        seq = _bury(connection, "conversation", key, now, machine_id=machine_id, project_id=project_id)
        event = Event(seq, "conversation_forgotten", now, key, project, machine=machine)
        return Stored(events=[event], projects=[project] if project else ())

    def forget_project(self, connection: Connection, key: str, now: int) -> Stored | None:
        """Remove a project that has no conversations any more, and put a tombstone in its place."""
        its = select(projects.c.id, machines.c.id, machines.c.name).join_from(projects, machines)
        found = connection.execute(its.where(projects.c.key == key)).first()
        if found is None:
            return None
        id_, machine_id, machine = found
        connection.execute(update(events).where(events.c.project_id == id_).values(project_id=None))
        connection.execute(delete(projects).where(projects.c.id == id_))
        seq = _bury(connection, "project", key, now, machine_id=machine_id)
        return Stored(events=[Event(seq, "project_forgotten", now, project_id=key, machine=machine)])

    def forget_again(self, connection: Connection, conversation: rows.Conversation, now: int) -> None:
        """Remove a conversation that came to light after its project was forgotten."""
        self._remove(connection, conversation.id)
        _bury(connection, "conversation", conversation.key, now, machine_id=conversation.machine_id)

    def remembers(self, connection: Connection, kind: str, key: str, since: int = 0) -> bool:
        """Tell whether what was there at the time `since` was forgotten later."""
        return any(stone.at >= since for stone in self._tombstones.find(connection, kind=kind, key=key))

    def pass_over(self, connection: Connection, machine_id: int, source: str, batch: Batch) -> None:
        """Store of a batch only where it ends, so that it is not read again."""
        stream, checkpoint = batch.stream, batch.checkpoint
        row = rows.ForgottenStream(
            machine_id=machine_id,
            source=source,
            key=stream.key,
            format=stream.format,
            kind=stream.kind,
            path=stream.path,
            conversation=stream.conversation,
            agent=stream.agent or "",
            position=checkpoint.offset,
            state=checkpoint.state,
        )
        self._streams.insert(connection, [row], or_else=AGAIN)

    def _remove(self, connection: Connection, id_: int) -> None:
        """Delete every row that leads to a conversation; of its streams stays where reading stands."""
        self._keep_checkpoints(connection, id_)
        shared = select(responses.c.message_id).where(responses.c.conversation_id == id_)
        message_ids = set(connection.scalars(shared))
        of_it = events.c.conversation_id == id_
        connection.execute(update(events).where(of_it, events.c.kind.like("project%")).values(conversation_id=None))
        its_streams = select(streams.c.id).where(streams.c.conversation_id == id_)
        for table in reversed(tables.metadata.sorted_tables):
            if "conversation_id" in table.c:
                connection.execute(delete(table).where(table.c.conversation_id == id_))
            elif "stream_id" in table.c:
                connection.execute(delete(table).where(table.c.stream_id.in_(its_streams)))
        connection.execute(delete(conversations).where(conversations.c.id == id_))
        ownership.settle(connection, self._responses, message_ids, self._quarters.open(connection))
        indexing.reset(connection)

    def _keep_checkpoints(self, connection: Connection, id_: int) -> None:
        names = rows.ForgottenStream.__struct_fields__
        columns = [conversations.c.key if name == "conversation" else streams.c[name] for name in names]
        kept = select(*columns).join_from(streams, conversations).where(conversations.c.id == id_)
        self._streams.insert(connection, [rows.ForgottenStream(*row) for row in connection.execute(kept)])


def conversations_of(connection: Connection, project: str) -> Sequence[str]:
    """Return the keys of a project's conversations."""
    query = select(conversations.c.key).join_from(conversations, projects).where(projects.c.key == project)
    return connection.scalars(query).all()


def _bury(  # noqa: PLR0913
    connection: Connection, kind: str, key: str, now: int, *, machine_id: int, project_id: int | None = None
) -> int:
    """Put up a tombstone, and return the number of the event that says so."""
    connection.execute(delete(tombstones).where(tombstones.c.kind == kind, tombstones.c.key == key))
    connection.execute(insert(tombstones).values(kind=kind, key=key, at=now))
    told = insert(events).values(
        kind=f"{kind}_forgotten", at=now, subject=key, project_id=project_id, machine_id=machine_id
    )
    seq: int = connection.execute(told.returning(events.c.seq)).scalar_one()
    return seq


def count_conversations(connection: Connection, project_id: int | None) -> None:
    """Bring up to date what a project shows of its conversations."""
    if project_id is None:
        return
    left = select(func.count(), func.max(conversations.c.updated_at)).where(conversations.c.project_id == project_id)
    count, last = connection.execute(left).one()
    counted = update(projects).where(projects.c.id == project_id)
    connection.execute(counted.values(conversation_count=count, last_activity=last))
