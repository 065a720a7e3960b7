"""Reads what there is to know of the database itself, and what could not be understood of its content."""

from __future__ import annotations

from sqlalchemy import Connection, case, func, select

from ccod import Page, Quarantined, QuarantineQuery, RecordType, StorageFacts
from ccod_sql import keyset, owners
from ccod_sql.database import Facts
from ccod_sql.tables import conversations, projects, quarantine, record_types, streams


def facts(connection: Connection, engine: Facts, machines: owners.Machines = None) -> StorageFacts:
    """Return what holds for the database, of which `engine` tells."""
    counts = (func.count(), func.coalesce(func.sum(conversations.c.message_count), 0))
    counted = select(*counts).select_from(conversations).where(*owners.of(conversations.c.machine_id, machines))
    held, messages = connection.execute(counted).one()
    placed = select(func.count()).select_from(projects).where(*owners.of(projects.c.machine_id, machines))
    places = connection.scalar(placed) or 0
    return StorageFacts(
        engine.engine, engine.version, engine.size, engine.faults, engine.journal, places, held, messages
    )


def find_quarantine(connection: Connection, query: QuarantineQuery) -> Page[Quarantined]:
    c = quarantine.c
    order = [c.id]
    where = owners.of(conversations.c.machine_id, query.machines)
    held = quarantine.join(streams).join(conversations)
    columns = (c.id, conversations.c.key, c.stream_id, streams.c.path, c.offset, c.length, c.reason, c.at)
    found = (
        select(*columns)
        .select_from(held)
        .where(*where)
        .order_by(*keyset.ordered(order, descending=True))
        .limit(query.limit + 1)
        .offset(query.offset)
    )
    if query.after is not None:
        found = found.where(keyset.beyond(order, descending=True))
    rows, after = keyset.cut(
        connection.execute(found, keyset.values(order, query.after)).all(), query.limit, lambda row: (row.id,)
    )
    counted = select(func.count()).select_from(held if where else quarantine).where(*where)
    total = connection.scalar(counted) or 0
    return Page([Quarantined(*row[1:]) for row in rows], total, after)


def find_record_types(connection: Connection, machines: owners.Machines = None) -> list[RecordType]:
    c = record_types.c
    key = (c.type, c.subtype, c.version)
    known = func.min(case((c.known, 1), else_=0))
    found = select(*key, known, func.sum(c.count)).where(*owners.whose(c.conversation_id, machines))
    found = found.group_by(*key).order_by(known, *key)
    return [
        RecordType(kind, subtype, version, bool(is_known), count)
        for kind, subtype, version, is_known, count in connection.execute(found)
    ]
