"""What responses cost: every rule of the price list, in whole nano-dollars."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccod import Charge, Response, Usage
from ccod_prices.settings import ModelPrice, PricesSettings
from ccod_prices.table import PriceTable

TABLE = PriceTable(PricesSettings())
SONNET = "claude-sonnet-4-5-20250929"


def day(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def nanos(model: str, usage: Usage, at: str = "2026-06-01", **facts: str) -> int | None:
    return nanos_of(TABLE, model, usage, at, **facts)


def nanos_of(table: PriceTable, model: str, usage: Usage, at: str = "2026-06-01", **facts: str) -> int | None:
    cost = table.cost(Response("m", "r", model, usage, **facts), day(at))
    return None if cost is None else cost.nanos


def test_every_kind_of_token_has_its_price() -> None:
    cost = TABLE.cost(Response("m", "r", SONNET, Usage(1, 10, 100, 1000, 10_000, 2)), day("2026-06-01"))
    assert cost is not None
    assert cost.charges == (
        Charge("input", 1, 3000),
        Charge("output", 10, 15_000),
        Charge("cache write 5m", 100, 3750),
        Charge("cache write 1h", 1000, 6000),
        Charge("cache read", 10_000, 300),
        Charge("web search", 2, 10_000_000),
    )
    assert cost.nanos == 3000 + 150_000 + 375_000 + 6_000_000 + 3_000_000 + 20_000_000


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (Usage(200_000, 1), 200_000 * 3000 + 15_000),
        (Usage(200_001, 1), 200_001 * 6000 + 22_500),
        (Usage(1, 1, 100_000, 50_000, 50_000), 6000 + 22_500 + 100_000 * 7500 + 50_000 * 12_000 + 50_000 * 600),
        (Usage(1, 300_000), 3000 + 300_000 * 15_000),
    ],
)
def test_the_whole_prompt_decides_the_tier_of_all_tokens(usage: Usage, expected: int) -> None:
    assert nanos(SONNET, usage) == expected
    assert nanos("claude-sonnet-4-20250514", usage) == expected


def test_prices_change_at_the_start_of_a_day() -> None:
    usage = Usage(200_001)
    assert nanos("claude-opus-4-6", usage, "2026-03-12T23:59:59.999") == 200_001 * 10_000
    assert nanos("claude-opus-4-6", usage, "2026-03-13T00:00:00") == 200_001 * 5000
    assert nanos("claude-opus-4-6", usage, "0001-01-01T00:00:00") == 200_001 * 10_000
    assert nanos("claude-opus-4-6", usage, "9999-12-31T23:59:59") == 200_001 * 5000


@pytest.mark.parametrize(
    ("facts", "thousandths"),
    [
        ({}, 1000),
        ({"speed": "standard", "region": "not_available", "service_tier": "standard"}, 1000),
        ({"speed": "fast"}, 6000),
        ({"region": "us"}, 1100),
        ({"service_tier": "batch"}, 500),
        ({"speed": "fast", "region": "us", "service_tier": "batch"}, 3300),
    ],
)
def test_speed_region_and_batch_multiply_all_but_searches(facts: dict[str, str], thousandths: int) -> None:
    expected = 5_000_000 * thousandths // 1000 + 10_000_000
    assert nanos("claude-opus-4-6", Usage(1000, web_search_requests=1), **facts) == expected


@pytest.mark.parametrize(("fast", "nano"), [(1.499, 1), (1.5, 2), (0.5, 1), (0.499, 0)])
def test_half_a_nano_dollar_is_rounded_up(fast: float, nano: int) -> None:
    own = PriceTable(PricesSettings(models={"mine": ModelPrice(input=0.001, output=0, fast=fast)}))
    assert nanos_of(own, "mine", Usage(1), speed="fast") == nano


def test_a_region_costs_more_only_where_models_say_so() -> None:
    assert nanos(SONNET, Usage(1000), region="us") == nanos(SONNET, Usage(1000))


@pytest.mark.parametrize(
    ("model", "usage", "facts"),
    [
        ("gpt-17", Usage(1), {}),
        ("", Usage(1), {}),
        ("<synthetic>", Usage(1), {}),
        ("claude-opus-4-6", Usage(), {}),
        (SONNET, Usage(1), {"speed": "fast"}),
        ("claude-2.1", Usage(1, cache_read_tokens=1), {}),
        ("claude-3-opus-20240229", Usage(1, web_search_requests=1), {}),
    ],
)
def test_what_is_not_known_is_not_guessed(model: str, usage: Usage, facts: dict[str, str]) -> None:
    assert nanos(model, usage, **facts) is None


def test_names_of_clouds_and_gateways_are_understood() -> None:
    for name in (
        "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "anthropic.claude-sonnet-4-5",
        "anthropic/claude-sonnet-4.5",
        "Claude-Sonnet-4-5",
    ):
        assert nanos(name, Usage(1)) == 3000


def test_a_name_without_end_costs_no_time() -> None:
    begin = time.process_time()
    assert nanos("a" * 100_000, Usage(1)) is None
    assert time.process_time() - begin < 1.0, "quadratic work takes many seconds"


def test_the_configuration_comes_first() -> None:
    own = PriceTable(
        PricesSettings(
            models={
                "claude": ModelPrice(input=1, output=2),
                "claude-sonnet": ModelPrice(input=10, output=20, cache_read=0, fast=2.5),
                "here/mine": ModelPrice(input=0, output=0),
            }
        )
    )
    usage = Usage(1, 1, 1, 1, 1)
    assert nanos_of(own, "claude-opus-4-6", usage) == 1000 + 2000 + 1250 + 2000 + 100
    assert nanos_of(own, SONNET, usage, speed="fast") == (10_000 + 20_000 + 12_500 + 20_000) * 5 // 2
    assert nanos_of(own, "here/mine", usage) == 0
    assert nanos_of(own, "claude-opus-4-6", usage, speed="fast", region="us") == 6350 * 66 // 10
    assert nanos_of(own, "claude-unheard-of", usage, speed="fast") is None
    assert own.version != TABLE.version
    assert TABLE.version == PriceTable(PricesSettings()).version


@given(st.builds(Usage, *[st.integers(0, 10**12)] * 6), st.integers(-(10**14), 10**15), st.text(), st.text())
def test_it_never_fails_and_charges_add_up(usage: Usage, at: int, speed: str, region: str) -> None:
    cost = TABLE.cost(Response("m", "r", SONNET, usage, speed=speed, region=region), at)
    assert (cost is None) == (usage == Usage() or speed == "fast")
    assert cost is None or cost.nanos == sum(charge.count * charge.nanos for charge in cost.charges)
