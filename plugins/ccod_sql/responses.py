"""API responses: several entries may tell of one, in any order, and each may know more than the last."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import astuple
from sqlalchemy import Connection

from ccod import Entry, Response
from ccod_sql import rows
from ccod_sql.rows import Rows
from ccod_sql.tables import TOKENS, take_tokens


class Responses:
    """The responses that one batch tells of, merged with what is stored of them."""

    def __init__(self, table: Rows[rows.Response], connection: Connection, conversation_id: int, agent: str) -> None:
        self._table = table
        self._connection = connection
        self._conversation_id = conversation_id
        self._agent = agent
        self._rows: dict[tuple[str, str], rows.Response] = {}
        self._first_id = self._next_id = table.next_id(connection)
        self.gained = dict.fromkeys(TOKENS, 0)

    @property
    def new_count(self) -> int:
        return self._next_id - self._first_id

    def load(self, entries: Iterable[Entry]) -> None:
        """Read what is stored of the responses that `entries` tell of."""
        ids = {entry.response.message_id for entry in entries if entry.response}
        where = {"conversation_id": self._conversation_id, "agent": self._agent}
        for row in self._table.find_in(self._connection, "message_id", ids, **where):
            self._rows[row.message_id, row.request_id] = row

    def merge(self, response: Response, at: int) -> rows.Response:
        """Take in what one entry tells: the line with most output names the rest, and no count ever shrinks."""
        key = response.message_id, response.request_id
        row = self._rows.get(key)
        if row is None:
            row = self._rows[key] = rows.Response(self._next_id, self._conversation_id, self._agent, *key, at)
            self._next_id += 1
            _name(row, response)
        elif response.usage.output_tokens > row.output_tokens:
            _name(row, response)
        row.at = min(row.at, at)
        counts = astuple(response.usage)
        if counts != take_tokens(row):
            self._raise(row, counts)
        return row

    def _raise(self, row: rows.Response, counts: Iterable[int]) -> None:
        for name, count in zip(TOKENS, counts, strict=True):
            more = count - getattr(row, name)
            if more > 0:
                setattr(row, name, count)
                self.gained[name] += more

    def save(self) -> None:
        self._table.update(self._connection, (row for row in self._rows.values() if row.id < self._first_id))
        self._table.insert(self._connection, (row for row in self._rows.values() if row.id >= self._first_id))


def _name(row: rows.Response, response: Response) -> None:
    row.model = response.model
    row.service_tier = response.service_tier
    row.speed = response.speed
    row.region = response.region
