"""Reads what there is to know of the database itself, and what could not be understood of its content."""

from __future__ import annotations

from sqlalchemy import Connection, case, func, select

from ccod import Page, Quarantined, QuarantineQuery, RecordType, StorageFacts
from ccod_sql import keyset
from ccod_sql.database import Facts
from ccod_sql.tables import conversations, projects, quarantine, record_types, streams


def facts(connection: Connection, engine: Facts) -> StorageFacts:
    """Return what holds for the database, of which `engine` tells."""
    counts = (func.count(), func.coalesce(func.sum(conversations.c.message_count), 0))
    held, messages = connection.execute(select(*counts).select_from(conversations)).one()
    places = connection.scalar(select(func.count()).select_from(projects)) or 0
    return StorageFacts(
        engine.engine, engine.version, engine.size, engine.faults, engine.journal, places, held, messages
    )


def find_quarantine(connection: Connection, query: QuarantineQuery) -> Page[Quarantined]:
    c = quarantine.c
    order = [c.id]
    columns = (c.id, conversations.c.key, c.stream_id, streams.c.path, c.offset, c.length, c.reason, c.at)
    found = (
        select(*columns)
        .select_from(quarantine.join(streams).join(conversations))
        .order_by(*keyset.ordered(order, descending=True))
        .limit(query.limit + 1)
        .offset(query.offset)
    )
    if query.after is not None:
        found = found.where(keyset.beyond(order, descending=True))
    rows, after = keyset.cut(
        connection.execute(found, keyset.values(order, query.after)).all(), query.limit, lambda row: (row.id,)
    )
    total = connection.scalar(select(func.count()).select_from(quarantine)) or 0
    return Page([Quarantined(*row[1:]) for row in rows], total, after)


def find_record_types(connection: Connection) -> list[RecordType]:
    c = record_types.c
    key = (c.type, c.subtype, c.version)
    known = func.min(case((c.known, 1), else_=0))
    found = select(*key, known, func.sum(c.count)).group_by(*key).order_by(known, *key)
    return [
        RecordType(kind, subtype, version, bool(is_known), count)
        for kind, subtype, version, is_known, count in connection.execute(found)
    ]
