"""The log of reads: who read what is not theirs. Rows are added, and nothing here changes or removes any."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec.structs import astuple
from sqlalchemy import ColumnElement, Connection, func, insert, or_, select

from ccod import Page, Read, ReadQuery
from ccod_sql import keyset
from ccod_sql.tables import reads

COLUMNS = ("at", "user_id", "email", "credential", "address", "route", "conversation", "machine", "served_by")
"""In the order of the fields of `Read`."""


def note(connection: Connection, new: Sequence[Read]) -> None:
    """Add some reads."""
    rows = [dict(zip(COLUMNS, (_sound(value) for value in astuple(each)), strict=True)) for each in new]
    connection.execute(insert(reads), rows)


def find(connection: Connection, query: ReadQuery) -> Page[Read]:
    """Return a page of reads, the latest first."""
    c = reads.c
    where: list[ColumnElement[bool]] = []
    if query.user is not None:
        where.append(or_(c.user_id == query.user, c.email == query.user))
    if query.conversation_id is not None:
        where.append(c.conversation == query.conversation_id)
    if query.since is not None:
        where.append(c.at >= query.since)
    if query.until is not None:
        where.append(c.at <= query.until)
    order = [c.id]
    some = select(c.id, *(c[name] for name in COLUMNS)).where(*where)
    some = some.order_by(*keyset.ordered(order, descending=True)).limit(query.limit + 1).offset(query.offset)
    if query.after is not None:
        some = some.where(keyset.beyond(order, descending=True))
    found = connection.execute(some, keyset.values(order, query.after)).all()
    rows, after = keyset.cut(found, query.limit, lambda row: (row.id,))
    total = connection.scalar(select(func.count()).select_from(reads).where(*where)) or 0
    return Page([Read(*row[1:]) for row in rows], total, after)


def _sound(value: Any) -> Any:
    """Return text that every database takes: halves of characters, and U+0000, are replaced."""
    return value.encode(errors="replace").decode().replace("\0", "?") if isinstance(value, str) else value
