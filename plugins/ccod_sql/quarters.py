"""Keeps the figures of quarters of an hour: what one transaction adds to them, and what it takes away.

Whoever changes a row that counts says so twice: what it was with the sign -1, and what it is now with 1.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, Dialect, Table, delete

from ccod import QUARTER_MS
from ccod_sql import rows, tables
from ccod_sql.costs import is_unpriced
from ccod_sql.rows import Rows
from ccod_sql.tables import take_tokens

Figures = dict[tuple[Any, ...], Sequence[int]]
"""Sums by their keys, which begin with a quarter and a conversation."""


class QuarterTables:
    """The tables, ready to be written to."""

    def __init__(self, dialect: Dialect) -> None:
        self.models = QuarterTable(dialect, tables.model_quarters, rows.ModelQuarter)
        self.messages = QuarterTable(dialect, tables.message_quarters, rows.MessageQuarter)
        self.tools = QuarterTable(dialect, tables.tool_quarters, rows.ToolQuarter)

    def open(self, connection: Connection) -> Quarters:
        return Quarters(self, connection)


class Quarters:
    """What one transaction changes; `save` writes it."""

    def __init__(self, of: QuarterTables, connection: Connection) -> None:
        self._of = of
        self._connection = connection
        self._models: Figures = {}
        self._messages: Figures = {}
        self._tools: Figures = {}

    def weigh_response(self, row: rows.Response, sign: int) -> None:
        """Add a response that counts, or take it away."""
        key = row.at // QUARTER_MS, row.conversation_id, row.model
        _add(self._models, key, sign, (1, is_unpriced(row), row.cost_nanos or 0, *take_tokens(row)))

    def weigh_flips(self, flipped: Iterable[rows.Response]) -> None:
        """Add or take away responses of which only that they count has changed."""
        for row in flipped:
            self.weigh_response(row, 1 if row.counted else -1)

    def add_messages(self, conversation_id: int, filed: Iterable[rows.Entry]) -> None:
        """Add those of a conversation's new entries that are messages."""
        counted = Counter((row.at // QUARTER_MS, row.role) for row in filed if row.role is not None)
        for (quarter, role), count in counted.items():
            is_user = role == "user"
            _add(self._messages, (quarter, conversation_id), count, (is_user, not is_user))

    def weigh_call(self, row: rows.ToolCall, sign: int) -> None:
        """Add a tool call, or take it away. A result whose call is not known yet is none."""
        if row.used_at is not None:
            key = row.used_at // QUARTER_MS, row.conversation_id, row.name
            is_pending, duration = row.result_entry_id is None, row.duration_ms
            _add(self._tools, key, sign, (1, is_pending, row.is_error, duration is not None, duration or 0))

    def save(self) -> None:
        self._of.models.change(self._connection, self._models)
        self._of.messages.change(self._connection, self._messages)
        self._of.tools.change(self._connection, self._tools)


class QuarterTable:
    """One of the tables. The first of its counts says whether there is anything in a row."""

    def __init__(self, dialect: Dialect, table: Table, kind: type[Struct]) -> None:
        self._rows = Rows(dialect, table, kind)
        self._kind = kind
        self._table = table
        keys = ", ".join(column.name for column in table.primary_key)
        counts = [column.name for column in table.c if not column.primary_key]
        sums = ", ".join(f"{count} = {table.name}.{count} + excluded.{count}" for count in counts)
        self._adding = f"ON CONFLICT ({keys}) DO UPDATE SET {sums}"

    def change(self, connection: Connection, figures: Figures) -> None:
        """Add `figures` to those that are kept. What comes to nothing leaves no row."""
        changes = {key: sums for key, sums in figures.items() if any(sums)}
        self._rows.insert(connection, (self._kind(*key, *sums) for key, sums in changes.items()), or_else=self._adding)
        first = next(column for column in self._table.c if not column.primary_key)
        for key in (key for key, sums in changes.items() if sums[0] < 0):
            same = (column == value for column, value in zip(self._table.primary_key, key, strict=True))
            connection.execute(delete(self._table).where(*same, first == 0))


def forget(connection: Connection, conversation_id: int) -> None:
    """Remove the figures of a conversation."""
    for table in (tables.model_quarters, tables.message_quarters, tables.tool_quarters):
        connection.execute(delete(table).where(table.c.conversation_id == conversation_id))


def _add(figures: Figures, key: tuple[Any, ...], times: int, more: Sequence[int]) -> None:
    before = figures.get(key)
    if before is None:
        figures[key] = [times * count for count in more]
    else:
        figures[key] = [count + times * added for count, added in zip(before, more, strict=True)]
