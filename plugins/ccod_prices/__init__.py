"""Prices: what an API response costs at list price, from a dated table that the configuration can add to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ccod import hookimpl
from ccod_prices.settings import PricesSettings

if TYPE_CHECKING:
    from ccod import Finding, Observatory, Prices, Settings
    from ccod_rest.fields import AnalyticsFields


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


@hookimpl(optionalhook=True)
def ccod_rest_analytics(settings: Settings, observatory: Observatory) -> AnalyticsFields[Any] | None:
    if settings.core.prices != "pricelist":
        return None
    from ccod_prices.fields import pricing_fields

    return pricing_fields(settings[PricesSettings], observatory.storage)
