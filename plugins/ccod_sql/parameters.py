"""What a statement takes of rows: plain tuples, as the driver takes them in the least time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from sqlalchemy import Boolean, Dialect, Table

from ccod_sql import uuids

R = TypeVar("R")
Values = tuple[Any, ...]


def packed(text: str | None) -> bytes | None:
    return None if text is None else uuids.pack(text)


def flags(table: Table, dialect: Dialect) -> list[str]:
    """Return the columns of flags where the database has no such type: the driver takes 0 and 1 in less time there."""
    return [] if dialect.supports_native_boolean else [c.name for c in table.c if isinstance(c.type, Boolean)]


def taken(
    take: Callable[[R], Values], bound: Sequence[tuple[int, Callable[[Any], Any]]], rows: Iterable[R]
) -> list[Values]:
    """Return what a statement takes of each row; what is to be `bound` in another form is changed column by column."""
    values = [take(row) for row in rows]
    if not bound or not values:
        return values
    columns: list[Iterable[Any]] = [*zip(*values, strict=True)]
    for place, bind in bound:
        columns[place] = map(bind, columns[place])
    return [*zip(*columns, strict=True)]
