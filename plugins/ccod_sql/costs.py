"""What an API response is and costs, by all that its entries told of it."""

from __future__ import annotations

from ccod import Prices, Response, Usage
from ccod_sql import rows
from ccod_sql.tables import take_tokens


def told(row: rows.Response) -> Response:
    """Return what all entries together told of a response."""
    usage = Usage(*take_tokens(row))
    return Response(row.message_id, row.request_id, row.model, usage, row.service_tier, row.speed, row.region)


def cost_nanos(prices: Prices, row: rows.Response) -> int | None:
    cost = prices.cost(told(row), row.at)
    return None if cost is None else cost.nanos


def is_unpriced(row: rows.Response) -> bool:
    return row.cost_nanos is None and told(row).is_billed
