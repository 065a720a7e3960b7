"""Reads what there is to know of the database itself, and what could not be understood of its content."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, func, select

from ccod import Page, Quarantined, QuarantineQuery, RecordType, StorageFacts
from ccod_sql import keyset
from ccod_sql.engine import Driver
from ccod_sql.sqlite import journal_size
from ccod_sql.tables import conversations, projects, quarantine, record_types, streams

WAL_RESET = "WAL-reset: two processes that write at once can corrupt a database; SQLite 3.51.3 mends it"


def facts(connection: Connection, path: Path, driver: Driver) -> StorageFacts:
    """Return what holds for the database at `path`."""
    size = path.stat().st_size if path.exists() else 0
    known = faults(driver.version_info)
    counts = (func.count(), func.coalesce(func.sum(conversations.c.message_count), 0))
    held, messages = connection.execute(select(*counts).select_from(conversations)).one()
    places = connection.scalar(select(func.count()).select_from(projects)) or 0
    return StorageFacts(driver.name, driver.version, size, known, journal_size(path), places, held, messages)


def faults(version: tuple[int, int, int]) -> tuple[str, ...]:
    """Return the known faults of a version of SQLite that concern a database like ours."""
    mended = version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51) or (3, 44, 6) <= version < (3, 45)
    return () if mended or version < (3, 7) else (WAL_RESET,)


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
    known = func.min(c.known)
    found = select(*key, known, func.sum(c.count)).group_by(*key).order_by(known, *key)
    return [
        RecordType(kind, subtype, version, bool(is_known), count)
        for kind, subtype, version, is_known, count in connection.execute(found)
    ]
