"""What the price list adds to the analytics of a conversation."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from ccod import Conversation, Storage
from ccod_prices.settings import PricesSettings
from ccod_prices.table import PriceTable
from ccod_rest.fields import AnalyticsFields


class PricingJson(Struct, frozen=True, rename="camel"):
    """By which version of the list costs are worked out; the models of which it has no price for some response."""

    version: str
    unpriced_models: Sequence[str]


def pricing_fields(settings: PricesSettings, storage: Storage) -> AnalyticsFields[PricingJson]:
    version = PriceTable(settings).version

    async def measure(conversation: Conversation) -> PricingJson:
        by_model = await storage.total_usage(conversation.id)
        return PricingJson(version, sorted(model for model, totals in by_model.items() if totals.unpriced_count))

    return AnalyticsFields(PricingJson, measure)
