"""The words of PostgreSQL for what `ccod_sql.dialects` has no common words for."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.compiler import compiles

from ccod_sql.dialects import Each, Item, LastEvent

GONE = "last_gone_event"
"""The key of `meta` for the greatest number of an event that was deleted."""
COPYING = "copied_from"
"""The key of `meta` for the epoch of the database of which a copy into this one is under way."""
LAST_EVENT = f"""
greatest((SELECT max(seq) FROM events), CAST((SELECT value FROM meta WHERE key = '{GONE}') AS BIGINT))
"""  # noqa: S608 - a name of ours


@compiles(LastEvent, "postgresql")
def _last_event(_element: LastEvent, _compiler: Any, **_: Any) -> str:
    """The sequence would tell of numbers too that are not committed yet."""
    return LAST_EVENT


@compiles(Each, "postgresql")
def _each(element: Each, compiler: Any, **named: Any) -> str:
    return f"jsonb_array_elements(CAST({compiler.process(element.clauses, **named)} AS JSONB))"


@compiles(Item, "postgresql")
def _item(element: Item, compiler: Any, **named: Any) -> str:
    array, number = element.clauses
    return f"CAST({compiler.process(array, **named)} ->> {compiler.process(number, **named)} AS BIGINT)"
