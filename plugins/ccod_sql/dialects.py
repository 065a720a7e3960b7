"""What engines say in different words. SQLAlchemy's compiler puts in those of the engine that it compiles for.

The words here are SQLite's; another engine adds its own by `compiles`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import bindparam, literal_column, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import FunctionElement

from ccod_sql.tables import Number


class LastEvent(FunctionElement[int]):
    """The last number that was given to an event, also where its row is gone; null if none was ever given."""

    inherit_cache = True
    type = Number


class Each(FunctionElement[Any]):
    """A row, whose column is `value`, for each item of an array in JSON."""

    inherit_cache = True


class Item(FunctionElement[int]):
    """A number in an array in JSON: of which array, and which number."""

    inherit_cache = True
    type = Number


@compiles(LastEvent)
def _last_event(_element: LastEvent, _compiler: Any, **_: Any) -> str:
    return "(SELECT seq FROM sqlite_sequence WHERE name = 'events')"


@compiles(Each)
def _each(element: Each, compiler: Any, **named: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **named)})"


@compiles(Item)
def _item(element: Item, compiler: Any, **named: Any) -> str:
    array, number = element.clauses
    return f"json_extract({compiler.process(array, **named)}, '$[{compiler.process(number, **named)}]')"


_EACH = Each(bindparam("spans")).table_valued("value")
SPANS = (
    select(
        Item(_EACH.c.value, literal_column("0")).label("start"), Item(_EACH.c.value, literal_column("1")).label("end")
    )
    .cte("spans")
    .prefix_with("MATERIALIZED")
)
"""Spans from a number to before another, which `as_spans` puts into the parameter `spans`. They are read once and not
for each row that is compared with them."""


def as_spans(pairs: Iterable[tuple[int, int]]) -> str:
    return str([[start, end] for start, end in pairs])
