"""API responses: several entries may tell of one, in any order, and each may know more than the last."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec.structs import astuple
from sqlalchemy import Connection

from ccod import Entry, Prices, Response
from ccod_sql import ownership, rows
from ccod_sql.costs import cost_nanos, is_unpriced
from ccod_sql.quarters import Quarters
from ccod_sql.rows import Rows
from ccod_sql.tables import TOKENS, take_tokens

Tokens = tuple[int, ...]
"""Counts in the order of `TOKENS`."""
CREATED = slice(TOKENS.index("cache_creation_5m_tokens"), TOKENS.index("cache_creation_1h_tokens") + 1)
NONE: Tokens = (0,) * len(TOKENS)


class Responses:
    """The responses that one batch tells of, merged with what is stored of them."""

    def __init__(
        self,
        table: Rows[rows.Response],
        prices: Prices,
        connection: Connection,
        stream: rows.Stream,
        quarters: Quarters,
    ) -> None:
        self._table = table
        self._quarters = quarters
        self._prices = prices
        self._connection = connection
        self._conversation_id = stream.conversation_id
        self._agent = stream.agent
        self._rows: dict[tuple[str, str], rows.Response] = {}
        self._copies: list[rows.Response] = []
        self._first_id = self._next_id = table.next_id(connection)
        self._before = [NONE]
        self.gained: dict[str, int] = {}
        self.gained_nanos = self.gained_unpriced = 0

    @property
    def new_count(self) -> int:
        return self._next_id - self._first_id

    def load(self, entries: Iterable[Entry]) -> None:
        """Read what is stored of the responses that `entries` tell of, here and elsewhere."""
        ids = {entry.response.message_id for entry in entries if entry.response}
        for row in self._table.find_in(self._connection, "message_id", ids):
            if (row.conversation_id, row.agent) == (self._conversation_id, self._agent):
                self._rows[row.message_id, row.request_id] = row
                self._before.append(take_tokens(row))
                self._weigh(row, -1)
                self._weigh_total(row, -1)
            else:
                self._copies.append(row)

    def merge(self, response: Response, at: int, *, sidechain: bool) -> rows.Response:
        """Take in what one entry tells: the line with most output names the rest, and no count ever shrinks."""
        key = response.message_id, response.request_id
        row = self._rows.get(key)
        told = astuple(response.usage)
        if row is None:
            row = self._rows[key] = rows.Response(self._next_id, self._conversation_id, self._agent, *key, at)
            self._next_id += 1
            _name(row, response)
            _count(row, told)
        elif response.usage.output_tokens > row.output_tokens:
            _name(row, response)
        row.at = min(row.at, at)
        row.sidechain = row.sidechain and sidechain
        known = take_tokens(row)
        if known != told:
            _count(row, _fullest(known, told))
        return row

    def save(self) -> None:
        """Work out the costs and who owns what, and write all that changed."""
        own = self._rows.values()
        after = [NONE, *map(take_tokens, own)]
        for name, now, before in zip(TOKENS, _sums(after), _sums(self._before), strict=True):
            self.gained[name] = now - before
        for row in own:
            row.cost_nanos = cost_nanos(self._prices, row)
            self._weigh(row, 1)
        changed = ownership.mark(self._connection, [*own, *self._copies])
        elsewhere = {row.id for row in self._copies}
        flipped = [row for row in changed if row.id in elsewhere]
        self._quarters.weigh_flips(flipped)
        for row in own:
            self._weigh_total(row, 1)
        self._table.update(self._connection, flipped)
        self._table.update(self._connection, (row for row in own if row.id < self._first_id))
        self._table.insert(self._connection, (row for row in own if row.id >= self._first_id))

    def _weigh(self, row: rows.Response, sign: int) -> None:
        self.gained_nanos += sign * (row.cost_nanos or 0)
        self.gained_unpriced += sign * is_unpriced(row)

    def _weigh_total(self, row: rows.Response, sign: int) -> None:
        if row.counted:
            self._quarters.weigh_response(row, sign)


def _sums(tokens: Iterable[Tokens]) -> Iterator[int]:
    return map(sum, zip(*tokens, strict=True))


def _fullest(one: Tokens, other: Tokens) -> Tokens:
    """Return the larger of each count. Cache creation is one count, of which some lines tell the long-lived part."""
    created = max(sum(one[CREATED]), sum(other[CREATED]))
    given, answered, _, long_lived, *rest = map(max, one, other)
    return given, answered, created - long_lived, long_lived, *rest


def _count(row: rows.Response, tokens: Tokens) -> None:
    (
        row.input_tokens,
        row.output_tokens,
        row.cache_creation_5m_tokens,
        row.cache_creation_1h_tokens,
        row.cache_read_tokens,
        row.web_search_requests,
    ) = tokens


def _name(row: rows.Response, response: Response) -> None:
    row.model = response.model
    row.service_tier = response.service_tier
    row.speed = response.speed
    row.region = response.region
