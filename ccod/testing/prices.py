"""What every price list must do, and a small one with round prices."""

from __future__ import annotations

import pytest

from ccod import Charge, Cost, Prices, Response, Usage

EACH = Usage(1, 1, 1, 1, 1)


class RoundPrices:
    """Knows one model, "large", at $1 for a million input tokens and $5 for a million output tokens."""

    version = "round"

    def cost(self, response: Response, at: int) -> Cost | None:
        if response.model != "large" or not response.is_billed or response.usage.web_search_requests:
            return None
        usage = response.usage
        charges = (
            Charge("input", usage.input_tokens, 1000),
            Charge("output", usage.output_tokens, 5000),
            Charge("cache write 5m", usage.cache_creation_5m_tokens, 1250),
            Charge("cache write 1h", usage.cache_creation_1h_tokens, 2000),
            Charge("cache read", usage.cache_read_tokens, 100),
        )
        used = tuple(charge for charge in charges if charge.count)
        return Cost(sum(charge.count * charge.nanos for charge in used), used)


class PricesContract:
    """The role `Prices`, observed from outside. Offer the fixtures `prices` and `model`, a model with a price."""

    @pytest.fixture
    def model(self) -> str:
        return "large"

    def test_what_has_no_known_price_has_none(self, prices: Prices) -> None:
        assert prices.cost(Response("m", "r", "a model that nobody sells", EACH), 0) is None
        assert prices.cost(Response("m", "r", "", EACH), 0) is None

    @pytest.mark.parametrize("name", ["<synthetic>", "\0", "é" * 10_000, "../..", "a/b/c", "[a", "*"])
    def test_no_name_is_too_odd(self, prices: Prices, name: str) -> None:
        assert prices.cost(Response("m", "r", name, EACH), 0) is None

    def test_what_used_nothing_costs_nothing(self, prices: Prices, model: str) -> None:
        cost = prices.cost(Response("m", "r", model, Usage()), 0)
        assert cost is None or cost.nanos == 0

    def test_money_is_an_integer_that_its_parts_explain(self, prices: Prices, model: str) -> None:
        cost = prices.cost(Response("m", "r", model, Usage(1_000_001, 3)), 1_800_000_000_000)
        assert cost is not None
        assert type(cost.nanos) is int
        assert cost.nanos > 0
        assert all(type(charge.nanos) is int and charge.count > 0 for charge in cost.charges)
        explained = sum(charge.count * charge.nanos for charge in cost.charges)
        assert cost.multipliers or not cost.charges or cost.nanos == explained

    def test_more_tokens_never_cost_less(self, prices: Prices, model: str) -> None:
        costs = [prices.cost(Response("m", "r", model, Usage(n, n)), 0) for n in (1, 10, 10**5, 10**7, 10**12)]
        nanos = [cost.nanos for cost in costs if cost is not None]
        assert len(nanos) == len(costs)
        assert nanos == sorted(nanos)

    def test_the_same_question_has_the_same_answer(self, prices: Prices, model: str) -> None:
        response = Response("m", "r", model, EACH)
        assert prices.version
        assert prices.cost(response, 1_700_000_000_000) == prices.cost(response, 1_700_000_000_000)
