"""Tool calls: a use and its result come in any order, in one batch or in several, or alone."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection

from ccod import Entry, ToolResult, ToolUse
from ccod_sql import rows
from ccod_sql.quarters import Quarters
from ccod_sql.rows import Rows


class ToolCalls:
    """The calls that one batch tells of, merged with what is stored of them. The first use and result count."""

    def __init__(
        self, table: Rows[rows.ToolCall], connection: Connection, conversation_id: int, agent: str, quarters: Quarters
    ) -> None:
        self._table = table
        self._quarters = quarters
        self._connection = connection
        self._conversation_id = conversation_id
        self._agent = agent
        self._rows: dict[str, rows.ToolCall] = {}
        self._stored: set[str] = set()
        self.new_calls = 0
        self.new_errors = 0

    def load(self, entries: Iterable[Entry]) -> None:
        """Read what is stored of the calls that `entries` tell of."""
        ids = {use.id for entry in entries for use in entry.tool_uses}
        ids.update(result.tool_use_id for entry in entries for result in entry.tool_results)
        where = {"conversation_id": self._conversation_id, "agent": self._agent}
        for row in self._table.find_in(self._connection, "tool_use_id", ids, **where):
            self._rows[row.tool_use_id] = row
            self._quarters.weigh_call(row, -1)
        self._stored = set(self._rows)

    def merge(self, entry: Entry, entry_id: int, at: int, turn: int) -> int:
        """Take over the uses and results of `entry`; return by how much the unanswered calls of `turn` grow."""
        opened = 0
        for index, use in enumerate(entry.tool_uses):
            opened += self._use(use, index, entry_id, at, turn)
        for result in entry.tool_results:
            opened -= self._answer(result, entry_id, at, turn)
        return opened

    def _use(self, use: ToolUse, index: int, entry_id: int, at: int, turn: int) -> bool:
        """Return whether an answer is awaited from now on."""
        row = self._row(use.id)
        if row.use_entry_id is not None:
            return False
        row.name, row.use_entry_id, row.use_index, row.used_at, row.turn = use.name, entry_id, index, at, turn
        self.new_calls += 1
        _time(row)
        return row.result_entry_id is None

    def _answer(self, result: ToolResult, entry_id: int, at: int, turn: int) -> bool:
        """Return whether that is what a call of this turn waited for."""
        row = self._row(result.tool_use_id)
        if row.result_entry_id is not None:
            return False
        row.result_entry_id, row.answered_at = entry_id, at
        row.is_error, row.duration_ms = result.is_error, result.duration_ms
        self.new_errors += result.is_error
        _time(row)
        return row.use_entry_id is not None and row.turn == turn

    def _row(self, tool_use_id: str) -> rows.ToolCall:
        row = self._rows.get(tool_use_id)
        if row is None:
            row = rows.ToolCall(self._conversation_id, self._agent, tool_use_id)
            self._rows[tool_use_id] = row
        return row

    def save(self) -> None:
        known = self._stored
        for row in self._rows.values():
            self._quarters.weigh_call(row, 1)
        self._table.update(self._connection, (row for id_, row in self._rows.items() if id_ in known))
        self._table.insert(self._connection, (row for id_, row in self._rows.items() if id_ not in known))


def _time(row: rows.ToolCall) -> None:
    """Let the time between use and result stand in for a duration that nobody stated."""
    if row.duration_ms is None and row.used_at is not None and row.answered_at is not None:
        row.duration_ms = max(0, row.answered_at - row.used_at)
