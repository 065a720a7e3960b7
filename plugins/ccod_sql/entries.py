"""Reads records of any type with their bytes."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from ccod import EntryQuery, Page, StoredEntry
from ccod_sql import keyset, messages
from ccod_sql.tables import conversations, entries

C = entries.c
COLUMNS: tuple[ColumnElement[Any], ...] = (
    *(C.id, C.stream_id, C.offset, C.length, C.uuid, C.parent, C.type, C.subtype, C.role, C.at, C.agent),
    *(C.sidechain, C.meta, messages.BLOCK_ID.label("block_id")),
)


def find(connection: Connection, conversation_id: str, query: EntryQuery) -> Page[StoredEntry]:
    """Return the records that `query` asks for; those that repeat others are left out."""
    conversation = select(conversations.c.id).where(conversations.c.key == conversation_id).scalar_subquery()
    where = [C.conversation_id == conversation, C.agent == (query.agent or ""), ~C.duplicate]
    if query.type is not None:
        where.append(C.type == query.type)
    if query.subtype is not None:
        where.append(C.subtype == query.subtype)
    total = connection.scalar(select(func.count()).select_from(entries).where(*where)) or 0
    some = select(C.id).where(*where).order_by(C.id).limit(query.limit + 1).offset(query.offset)
    if query.after is not None:
        some = some.where(keyset.beyond([C.id], descending=False))
    page = select(*COLUMNS).where(C.id.in_(some)).order_by(C.id)
    found_rows = connection.execute(page, keyset.values([C.id], query.after)).all()
    rows, after = keyset.cut(found_rows, query.limit, lambda row: (row.id,))
    bodies = messages.bodies(connection, rows)
    found = [
        StoredEntry(
            id=messages.message_id(row.uuid, row.stream_id, row.offset),
            parent=row.parent,
            type=row.type,
            subtype=row.subtype,
            role=row.role,
            at=row.at,
            agent=row.agent or None,
            sidechain=row.sidechain,
            meta=row.meta,
            body=bodies.get(row.id, b""),
        )
        for row in rows
    ]
    return Page(found, total, after)
