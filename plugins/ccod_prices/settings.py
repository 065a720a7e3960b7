"""The table [pricelist]."""

from __future__ import annotations

from typing import Annotated

import msgspec

from ccod import setting

Dollars = Annotated[float, msgspec.Meta(ge=0)]


class ModelPrice(msgspec.Struct, forbid_unknown_fields=True):
    """What a model costs, in dollars for a million tokens; cache prices follow from `input` where they are left out.

    `fast` multiplies the price of the fast mode. Where it is left out, that of the built-in table does.
    """

    input: Dollars
    output: Dollars
    cache_write_5m: Dollars | None = None
    cache_write_1h: Dollars | None = None
    cache_read: Dollars | None = None
    fast: Annotated[float, msgspec.Meta(ge=1)] | None = None


class PricesSettings(msgspec.Struct, forbid_unknown_fields=True):
    models: Annotated[
        dict[str, ModelPrice],
        setting(
            "Models that the built-in table lacks or prices otherwise, by the start of their names, in dollars for a "
            'million tokens: "claude-x" = { input = 3, output = 15 }.'
        ),
    ] = msgspec.field(default_factory=dict)
