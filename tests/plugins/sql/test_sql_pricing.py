"""Another price list prices everything again, once."""

from __future__ import annotations

from pathlib import Path

import pytest

from ccod import StretchQuery
from ccod.testing.asking import conversation, send
from ccod.testing.transcripts import Transcript, response
from ccod_prices.settings import ModelPrice, PricesSettings
from ccod_prices.table import PriceTable
from ccod_sql import pricing
from ccod_sql.settings import SqliteSettings
from ccod_sql.storage import SqlStorage
from tests.plugins.sql.test_sql_quarters import kept, recomputed
from tests.prices import PRICES

DOUBLE = PriceTable(PricesSettings(models={"large": ModelPrice(2, 10), "rare": ModelPrice(1, 5)}))


async def costs(database: Path, prices: PriceTable) -> list[tuple[int, int]]:
    async with SqlStorage(SqliteSettings(path=str(database)), "machine", prices) as storage:
        found = [await conversation(storage, key) for key in ("c1", "c2")]
        stored = [record.cost.nanos for record in await storage.responses("c1") if record.cost and not record.agent]
        assert sum(stored) == found[0].cost_nanos
        records = [record for key in ("c1", "c2") for record in await storage.responses(key)]
        used = await storage.stretches(StretchQuery())
        assert sum(each.totals.cost_nanos for each in used) == sum(each.cost.nanos for each in records if each.cost)
        assert kept(database) == recomputed(database)
        return [(each.cost_nanos, each.unpriced_response_count) for each in found]


async def test_costs_follow_the_prices(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pricing, "ROWS", pricing.ROWS.limit(3))
    async with SqlStorage(SqliteSettings(path=str(database)), "machine", PRICES) as storage:
        first = Transcript("c1")
        for number in range(10):
            first.add("assistant", at=number, response=response(f"m{number}"))
        await send(storage, first)
        await send(storage, Transcript("c1", agent="a").add("assistant", at=1, response=response("agent's")))
        await send(storage, Transcript("c2").add("assistant", at=1, response=response("rare", model="rare")))
    one = 3 * 1000 + 10 * 5000 + 5 * 2000 + 7 * 100
    assert await costs(database, PRICES) == [(10 * one, 0), (0, 1)]
    assert await costs(database, DOUBLE) == [(20 * one, 0), (one, 0)]
    assert await costs(database, PRICES) == [(10 * one, 0), (0, 1)]


async def test_what_has_no_price_costs_nothing_and_is_counted(database: Path) -> None:
    sent = Transcript("c1").add("assistant", at=1, response=response("m1", model="rare"))
    async with SqlStorage(SqliteSettings(path=str(database)), "machine", PRICES) as storage:
        await send(storage, sent)
        (stretch,) = await storage.stretches(StretchQuery())
        totals = (await storage.total_usage("c1"))["rare"]
    assert (stretch.totals.cost_nanos, stretch.totals.unpriced_count) == (0, 1)
    assert totals == stretch.totals


async def test_an_unchanged_list_prices_nothing(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await_nothing = SqlStorage(SqliteSettings(path=str(database)), "machine", PRICES)
    monkeypatch.delattr(pricing, "ROWS")
    async with await_nothing:
        pass
