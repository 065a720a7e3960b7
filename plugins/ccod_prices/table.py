"""Reads the price table and works out costs. All money is integers of nano-dollars.

A response is charged at the prices of its own model on its own day. The size of its whole prompt decides the tier,
which then holds for all of its tokens. Speed, region and batch multiply; web searches are added.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time
from functools import cache, lru_cache
from importlib.resources import files
from zlib import crc32

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from ccod import Charge, Cost, Response, Usage
from ccod_prices.settings import ModelPrice, PricesSettings

CACHE_WRITE_5M, CACHE_WRITE_1H, CACHE_READ = 1.25, 2.0, 0.1
"""What cached tokens cost against uncached ones, where a price in the configuration does not say."""

SEARCHES, SEARCH_NANOS = "web search", 10_000_000
CLOUD = re.compile(r"(?:[a-z]+\.)?anthropic\.")
"""What clouds put before a model's name, such as `eu.anthropic.`."""


class Tier(Struct, frozen=True, rename="camel"):
    """Nano-dollars for each token of a response whose prompt is larger than `above`; None where no price is known."""

    above: int
    input: int
    output: int
    cache_write_5m: int | None = msgspec.field(name="cacheWrite5m", default=None)
    cache_write_1h: int | None = msgspec.field(name="cacheWrite1h", default=None)
    cache_read: int | None = None


class Period(Struct, frozen=True, rename="camel"):
    """Prices that hold from the start of the day `since` in UTC, or ever."""

    since: date | None
    tiers: Sequence[Tier]
    web_search: int | None = None


class Model(Struct, frozen=True):
    """A model by what its names match from their start. `fast` and `regions` multiply, in thousandths."""

    id: str
    pattern: str
    periods: Sequence[Period]
    fast: int | None = None
    regions: dict[str, int] = msgspec.field(default_factory=dict)


class Table(Struct, frozen=True):
    """All prices, and where and when they were found."""

    source: str
    date: str
    models: Sequence[Model]


class PriceTable:
    """The built-in prices, and those of the configuration before them."""

    def __init__(self, settings: PricesSettings) -> None:
        raw = files("ccod_prices").joinpath("prices.json").read_bytes()
        table = msgspec.json.decode(raw, type=Table)
        own = [_configured(name, price) for name, price in settings.models.items()]
        own.sort(key=lambda model: -len(model.id))
        self._own = [(re.compile(model.pattern), model) for model in own]
        self._known = [(re.compile(model.pattern), model) for model in table.models]
        self.source = f"{table.source}, {table.date}"
        self.version = f"{table.date}.{crc32(raw + msgspec.json.encode(own)):08x}"
        self._model = lru_cache(maxsize=256)(self._find)

    def cost(self, response: Response, at: int) -> Cost | None:
        """Return what `response`, begun at `at`, costs; None when its model, its speed or a part has no known price."""
        model = self._model(response.model) if response.is_billed else None
        multipliers = _multipliers(response, model) if model else None
        if model is None or multipliers is None:
            return None
        charges = _charges(response.usage, _period(model.periods, at))
        if charges is None:
            return None
        tokens, searches = 0, 0
        for charge in charges:
            if charge.what == SEARCHES:
                searches += charge.count * charge.nanos
            else:
                tokens += charge.count * charge.nanos
        for _, thousandths in multipliers:
            tokens = (tokens * thousandths + 500) // 1000
        return Cost(tokens + searches, charges, multipliers)

    def _find(self, name: str) -> Model | None:
        """Return the model of a name. What multiplies a price does so too where the configuration has another price."""
        own, known = _named(name, self._own), _named(name, self._known)
        if own is None or known is None:
            return own or known
        return replace(own, fast=known.fast if own.fast is None else own.fast, regions=known.regions)


def _named(name: str, models: Iterable[tuple[re.Pattern[str], Model]]) -> Model | None:
    """Return the first model by its name as it stands, or without what a cloud or a gateway put before it."""
    name = name.lower()
    bare = name.rpartition("/")[2]
    if cloud := CLOUD.match(bare):
        bare = bare[cloud.end() :]
    return next((model for pattern, model in models if pattern.match(name) or pattern.match(bare)), None)


def _period(periods: Sequence[Period], at: int) -> Period:
    return next((period for period in reversed(periods) if _start(period.since) <= at), periods[0])


@cache
def _start(day: date | None) -> int:
    """Return the first millisecond of a day."""
    return int(datetime.combine(day or date.min, time(), UTC).timestamp()) * 1000


def _charges(usage: Usage, period: Period) -> tuple[Charge, ...] | None:
    """Return what is to be paid for; None where one part of it has no known price."""
    prompt = usage.input_tokens + usage.cache_creation_tokens + usage.cache_read_tokens
    tier = next(tier for tier in reversed(period.tiers) if prompt > tier.above or tier.above == 0)
    parts = (
        ("input", usage.input_tokens, tier.input),
        ("output", usage.output_tokens, tier.output),
        ("cache write 5m", usage.cache_creation_5m_tokens, tier.cache_write_5m),
        ("cache write 1h", usage.cache_creation_1h_tokens, tier.cache_write_1h),
        ("cache read", usage.cache_read_tokens, tier.cache_read),
        (SEARCHES, usage.web_search_requests, period.web_search),
    )
    charges = []
    for what, count, nanos in parts:
        if count:
            if nanos is None:
                return None
            charges.append(Charge(what, count, nanos))
    return tuple(charges)


def _multipliers(response: Response, model: Model) -> tuple[tuple[str, int], ...] | None:
    """Return what multiplies the price, in thousandths; None for a speed that has no known price."""
    found = []
    if response.speed == "fast":
        if model.fast is None:
            return None
        found.append(("fast", model.fast))
    if response.region in model.regions:
        found.append((f"region {response.region}", model.regions[response.region]))
    if response.service_tier == "batch":
        found.append(("batch", 500))
    return tuple(found)


def _configured(name: str, price: ModelPrice) -> Model:
    write_5m = CACHE_WRITE_5M * price.input if price.cache_write_5m is None else price.cache_write_5m
    write_1h = CACHE_WRITE_1H * price.input if price.cache_write_1h is None else price.cache_write_1h
    read = CACHE_READ * price.input if price.cache_read is None else price.cache_read
    tier = Tier(0, *_nanos((price.input, price.output, write_5m, write_1h, read)))
    fast = None if price.fast is None else round(price.fast * 1000)
    return Model(name, re.escape(name.lower()), [Period(None, [tier], SEARCH_NANOS)], fast)


def _nanos(dollars: Iterable[float]) -> Iterable[int]:
    """Dollars for a million tokens are thousands of nano-dollars for one."""
    return (round(price * 1000) for price in dollars)
