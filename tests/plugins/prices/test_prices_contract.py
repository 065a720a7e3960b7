"""Price lists keep their contract."""

from __future__ import annotations

import pytest

from ccod import Prices
from ccod.testing import PricesContract, RoundPrices
from ccod_prices.settings import PricesSettings
from ccod_prices.table import PriceTable


class TestPriceTable(PricesContract):
    @pytest.fixture
    def prices(self) -> Prices:
        return PriceTable(PricesSettings())

    @pytest.fixture
    def model(self) -> str:
        return "claude-sonnet-4-5"


class TestRoundPrices(PricesContract):
    @pytest.fixture
    def prices(self) -> Prices:
        return RoundPrices()
