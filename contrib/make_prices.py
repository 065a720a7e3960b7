"""Writes the price table from the genai-prices package: `make prices`. Prices become nano-dollars for each token."""

from __future__ import annotations

import json
import re
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib.metadata import version
from typing import Any

from genai_prices import data, types

UNITS = {
    "input": "input_mtok",
    "output": "output_mtok",
    "cacheWrite5m": "cache_write_mtok",
    "cacheWrite1h": "cache_write_1h_mtok",
    "cacheRead": "cache_read_mtok",
}
PROVIDER = "anthropic"

# https://platform.claude.com/docs/en/build-with-claude/fast-mode and …/data-residency, where genai-prices has nothing.
FAST = {"claude-opus-4-6": 6000, "claude-opus-4-7": 6000}
REGIONS = {"us": 1100}
# https://platform.claude.com/docs/en/about-claude/pricing: Sonnet 4 costs what 4.5 does, with long prompts too.
PRICED_AS = {"claude-sonnet-4-0": "claude-sonnet-4-5"}
WITHOUT_REGIONS = re.compile(r"claude-(2|v1|3|instant)|claude-(opus|sonnet|haiku)-4-[015]$")


def nanos(dollars: Decimal, per: int) -> int:
    exact = dollars * 1_000_000_000 / per
    if exact != int(exact):
        raise SystemExit(f"{dollars} dollars for {per} are no whole nano-dollars for one")
    return int(exact)


def pattern(clause: Any) -> str:
    match clause:
        case types.ClauseOr():
            return "|".join(map(pattern, clause.or_))
        case types.ClauseEquals():
            return f"{re.escape(clause.equals)}$"
        case types.ClauseStartsWith():
            return re.escape(clause.starts_with)
        case types.ClauseContains():
            return f".*{re.escape(clause.contains)}"
        case types.ClauseRegex():
            return clause.regex.removeprefix("^") if clause.regex.startswith("^") else f".*{clause.regex}"
    raise SystemExit(f"no way to match by {clause!r}")


def tiers(price: types.ModelPrice) -> list[dict[str, int]]:
    """One tier of prices for each prompt size at which any of them changes."""
    starts = {0}
    for name in UNITS.values():
        value = getattr(price, name, None)
        if isinstance(value, types.TieredPrices):
            starts |= {tier.start for tier in value.tiers}
    return [{"above": start} | rates(price, start) for start in sorted(starts)]


def rates(price: types.ModelPrice, start: int) -> dict[str, int]:
    found = {}
    for key, name in UNITS.items():
        value = getattr(price, name, None)
        if isinstance(value, types.TieredPrices):
            value = next((tier.price for tier in reversed(value.tiers) if tier.start <= start and start), value.base)
        if value is not None:
            found[key] = nanos(value, 1_000_000)
    return found


def periods(model: types.ModelInfo) -> list[dict[str, Any]]:
    """Prices by the day from which they hold, oldest first."""
    prices = model.prices
    dated = prices if isinstance(prices, list) else [types.ConditionalPrice(prices=prices)]
    found = []
    for item in dated:
        if isinstance(item.constraint, types.StartDateConstraint):
            since: date | None = item.constraint.start_date
        elif item.constraint is None:
            since = None
        else:
            raise SystemExit(f"{model.id}: no way to hold prices by {item.constraint!r}")
        search = getattr(item.prices, "web_searches_kcount", None)
        found.append(
            {
                "since": since.isoformat() if since else None,
                "tiers": tiers(item.prices),
                "webSearch": nanos(search, 1000) if search is not None else None,
            }
        )
    return sorted(found, key=lambda period: period["since"] or "")


def fast(model: types.ModelInfo) -> int | None:
    """What the fast mode multiplies every price by, in thousandths; None where it has no known price."""
    variants = [variant.prices for variant in model.price_variants or () if variant.when == {"speed": "fast"}]
    if not variants:
        return FAST.get(model.id)
    normal, quick = periods(model)[-1]["tiers"], [rates(prices, 0) for prices in variants]
    factors = {Decimal(price) / normal[0][key] for prices in quick for key, price in prices.items()}
    if len(normal) > 1 or len(factors) > 1:
        raise SystemExit(f"{model.id}: fast mode is no one multiple of the price")
    return int(1000 * factors.pop())


def main() -> None:
    provider = next(provider for provider in data.providers if provider.id == PROVIDER)
    by_id = {model.id: model for model in provider.models}
    models = [
        {
            "id": model.id,
            "pattern": pattern(model.match),
            "periods": periods(by_id[PRICED_AS.get(model.id, model.id)]),
            "fast": fast(model),
            "regions": {} if WITHOUT_REGIONS.match(model.id) else REGIONS,
        }
        for model in provider.models
    ]
    table = {
        "source": f"genai-prices {version('genai-prices')}",
        "date": datetime.now(UTC).date().isoformat(),
        "models": models,
    }
    json.dump(table, sys.stdout, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
