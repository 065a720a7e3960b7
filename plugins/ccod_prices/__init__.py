"""Prices: what an API response costs at list price, from a dated table that the configuration can add to."""

from __future__ import annotations

from ccod import Prices, Settings, hookimpl
from ccod_prices.settings import PricesSettings


@hookimpl
def ccod_settings() -> type[PricesSettings]:
    return PricesSettings


@hookimpl
def ccod_prices(settings: Settings) -> Prices:
    from ccod_prices.table import PriceTable

    return PriceTable(settings[PricesSettings])
