"""Prices for tests: the built-in ones, and round ones for the model "large"."""

from __future__ import annotations

from ccod_prices.settings import ModelPrice, PricesSettings
from ccod_prices.table import PriceTable

LARGE = ModelPrice(input=1.0, output=5.0)
PRICES = PriceTable(PricesSettings(models={"large": LARGE}))
