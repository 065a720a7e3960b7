"""Reads the events that are stored, in their order."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from heapq import merge
from itertools import accumulate, islice
from operator import itemgetter
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, func, select, true

from ccod import Ending, Event, EventQuery, Message, Position, StateChange, decoder
from ccod_sql import messages, meta, owners, tables
from ccod_sql.database import Database
from ccod_sql.dialects import LastEvent
from ccod_sql.tables import conversations, entries, machines, projects
from ccod_sql.tables import events as table

EPOCH = "epoch"
FILE = "file"
MAX_BYTES = 4 * 1024 * 1024
"""Of the messages that are read at once; one alone may be larger."""

DETAILS: dict[str, type[StateChange | Ending]] = {
    "conversation_state_changed": StateChange,
    "conversation_ended": Ending,
}
MACHINE = func.coalesce(conversations.c.machine_id, projects.c.machine_id, table.c.machine_id)
EVENTS = select(
    *(table.c[name] for name in ("seq", "kind", "at", "entry_id", "subject", "detail")),
    conversations.c.key.label("conversation"),
    projects.c.key.label("project"),
    entries.c.length,
    machines.c.name.label("machine"),
).select_from(
    table.outerjoin(conversations, conversations.c.id == table.c.conversation_id)
    .outerjoin(projects, projects.c.id == table.c.project_id)
    .outerjoin(entries, entries.c.id == table.c.entry_id)
    .outerjoin(machines, machines.c.id == MACHINE)
)
LATEST = select(tables.meta.c.value, LastEvent()).where(tables.meta.c.key == EPOCH)


def begin(connection: Connection, database: Database) -> None:
    """Give a new database its epoch, and a copy another: it may give numbers that the first gave for other events.

    A database that is in another place than last time is a copy, and so is one that `ccod_sql.backup` made, whatever
    file it was put into. After a power cut, give no number again that somebody may have heard.
    """
    place = meta.read(connection, FILE)
    is_copy = place is not None and place != database.place
    if meta.read(connection, EPOCH) is None or is_copy:
        meta.write(connection, EPOCH, secrets.token_hex(8))
    if place != database.place:
        meta.write(connection, FILE, database.place)
    database.skip_lost_numbers(connection)


def position(connection: Connection, before: int | None) -> Position:
    """Return the place after the last event, or after the last that is older than `before`."""
    epoch, last = connection.execute(LATEST).one()
    last = last or 0
    return Position(epoch, last if before is None else _last_before(connection, before, last))


def find(connection: Connection, query: EventQuery) -> Sequence[Event]:
    """Return the events that `query` asks for."""
    after = query.after
    while rows := _affordable(_rows(connection, msgspec.structs.replace(query, after=after))):
        if found := _events(connection, rows):
            return found
        after = rows[-1].seq
    return ()


def _last_before(connection: Connection, before: int, last: int) -> int:
    """Halve the numbers: times grow with them, but for a clock that was set back."""
    first = 0
    while first < last:
        middle = (first + last + 1) // 2
        nearest = select(table.c.seq, table.c.at).where(table.c.seq <= middle).order_by(table.c.seq.desc()).limit(1)
        row = connection.execute(nearest).first()
        if row is None or row.at < before:
            first = middle
        else:
            last = row.seq - 1
    return first


def _rows(connection: Connection, query: EventQuery) -> list[Row[Any]]:
    """Ask an index for each of what is sought, and put the answers in order."""
    within = [table.c.seq > query.after, *owners.of(MACHINE, query.machines)]
    if query.until is not None:
        within.append(table.c.seq <= query.until)
    if query.kinds:
        within.append(table.c.kind.in_(query.kinds))
    found: list[Any] = [
        connection.execute(EVENTS.where(*within, sought).order_by(table.c.seq).limit(query.limit)).all()
        for sought in _sought(connection, query)
    ]
    return list(islice(merge(*found, key=itemgetter(0)), query.limit))


def _sought(connection: Connection, query: EventQuery) -> Iterator[ColumnElement[bool]]:
    ids = _ids(connection, projects.c.id, projects.c.key, query.projects)
    of_projects = table.c.project_id.in_(ids) if query.projects else true()
    if query.conversations:
        for id_ in _ids(connection, conversations.c.id, conversations.c.key, query.conversations):
            yield (table.c.conversation_id == id_) & of_projects
        gone = table.c.kind == "conversation_forgotten"
        yield from ((table.c.subject == key) & gone & of_projects for key in query.conversations)
    elif query.projects:
        yield from (table.c.project_id == id_ for id_ in ids)
        gone = table.c.kind == "project_forgotten"
        yield from ((table.c.subject == key) & gone for key in query.projects)
    else:
        yield true()


def _ids(connection: Connection, id_: Any, key: Any, wanted: Sequence[str]) -> Sequence[int]:
    return connection.scalars(select(id_).where(key.in_(wanted))).all() if wanted else ()


def _affordable(rows: list[Row[Any]]) -> list[Row[Any]]:
    """Return the first rows, as many as have messages of some megabytes."""
    sizes = accumulate(row.length or 0 for row in rows)
    return rows[: max(1, sum(size <= MAX_BYTES for size in sizes))]


def _events(connection: Connection, rows: Sequence[Row[Any]]) -> list[Event]:
    ids = [row.entry_id for row in rows if row.entry_id is not None]
    said = {message.sequence: message for message in messages.with_ids(connection, ids)} if ids else {}
    return [_event(row, said.get(row.entry_id)) for row in rows if row.entry_id is None or row.entry_id in said]


def _event(row: Row[Any], message: Message | None) -> Event:
    detail = DETAILS.get(row.kind)
    return Event(
        seq=row.seq,
        kind=row.kind,
        at=row.at,
        conversation_id=row.subject if row.kind == "conversation_forgotten" else row.conversation,
        project_id=row.subject if row.kind == "project_forgotten" else row.project,
        message=message,
        detail=decoder(detail).decode(row.detail) if detail else None,
        machine=row.machine,
    )
