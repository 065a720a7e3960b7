"""Pages that go on behind a key: what was stored meanwhile neither repeats an item nor leaves one out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, bindparam, tuple_

from ccod import Key, WrongKeyError

R = TypeVar("R")
Columns = Sequence[ColumnElement[Any]]


def ordered(columns: Columns, descending: bool) -> Columns:
    """Return what puts rows in the order of `columns`."""
    return [column.desc() for column in columns] if descending else columns


def beyond(columns: Columns, descending: bool) -> ColumnElement[bool]:
    """Return what holds for the rows behind a key, whose values are the parameters that `values` names."""
    here, there = tuple_(*columns), tuple_(*(bindparam(f"after_{n}") for n in range(len(columns))))
    return here < there if descending else here > there


def values(columns: Columns, after: Key | None) -> dict[str, int | str]:
    """Return the parameters of `beyond`. Raises WrongKeyError for a key that is none of such a list."""
    if after is None:
        return {}
    kinds = [column.type.python_type for column in columns]
    if list(map(type, after)) != kinds or any(isinstance(part, int) and abs(part) >= 2**63 for part in after):
        raise WrongKeyError("a key that this list does not have")
    return {f"after_{number}": part for number, part in enumerate(after)}


def cut(rows: Sequence[R], limit: int, key: Callable[[R], Key]) -> tuple[Sequence[R], Key | None]:
    """Return `limit` of `rows`, and the key of the last where there was one more."""
    return rows[:limit], key(rows[limit - 1]) if len(rows) > limit else None
