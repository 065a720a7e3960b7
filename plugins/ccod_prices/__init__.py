"""Prices: what an API response costs at list price, from a dated table that the configuration can add to."""

from __future__ import annotations

from collections.abc import Iterable

from ccod import Finding, Prices, Settings, hookimpl
from ccod_prices.settings import PricesSettings


@hookimpl
def ccod_settings() -> type[PricesSettings]:
    return PricesSettings


@hookimpl
def ccod_checks() -> Iterable[Finding]:
    from ccod_prices.checks import findings

    return findings()


@hookimpl
def ccod_prices(settings: Settings) -> Prices:
    from ccod_prices.table import PriceTable

    return PriceTable(settings[PricesSettings])
