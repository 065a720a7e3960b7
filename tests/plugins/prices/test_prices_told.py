"""What is told of the list of prices: how old it is, by which version a cost was worked out, what has no price."""

from __future__ import annotations

import json
from datetime import date, timedelta
from importlib.resources import files
from pathlib import Path

import ccod_prices
from ccod import Settings
from ccod.settings import CoreSettings
from ccod.testing.asking import conversation, send
from ccod.testing.house import observatory_of
from ccod.testing.transcripts import Transcript, response
from ccod_prices.checks import findings
from ccod_prices.fields import PricingJson
from ccod_prices.settings import ModelPrice, PricesSettings
from ccod_prices.table import PriceTable
from ccod_sql.settings import SqliteSettings
from ccod_sql.storage import SqlStorage

MADE = date.fromisoformat(json.loads(files("ccod_prices").joinpath("prices.json").read_bytes())["date"])
SETTINGS = PricesSettings(models={"large": ModelPrice(1, 5)})


def test_a_list_of_prices_is_old_after_120_days() -> None:
    (well,) = findings(MADE + timedelta(days=120))
    assert (well.code, well.state, well.fix) == ("prices", "ok", "")
    assert str(MADE) in well.text
    (old,) = findings(MADE + timedelta(days=121))
    assert (old.code, old.state, bool(old.fix)) == ("prices", "warning", True)
    assert f"{MADE}, 121 days old" in old.text


async def test_a_conversation_tells_which_of_its_models_have_no_price(tmp_path: Path) -> None:
    prices = PriceTable(SETTINGS)
    async with SqlStorage(SqliteSettings(path=str(tmp_path / "ccod.db")), "machine", prices) as storage:
        sent = Transcript("c1")
        for number, model in enumerate(("rare", "large", "other")):
            sent.add("assistant", at=number, response=response(f"m{number}", model=model))
        await send(storage, sent)
        fields = [
            ccod_prices.ccod_rest_analytics(
                Settings(CoreSettings(prices=name), {PricesSettings: SETTINGS}), observatory_of(storage)
            )
            for name in ("pricelist", "another")
        ]
        assert fields[0]
        told = await fields[0].measure(await conversation(storage, "c1"))
    assert fields[1] is None, "its costs are not of this list"
    assert told == PricingJson(prices.version, ["other", "rare"])
