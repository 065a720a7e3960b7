"""Prices every response again when the price list is another than before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import structlog
from sqlalchemy import Connection, bindparam, select, update

from ccod import Prices
from ccod_sql import meta, rows
from ccod_sql.costs import cost_nanos, is_unpriced
from ccod_sql.quarters import Quarters, QuarterTables
from ccod_sql.tables import conversations, responses

KEY = "prices"
PORTION = 10_000

ROWS = (
    select(*(responses.c[name] for name in rows.Response.__struct_fields__))
    .where(responses.c.id > bindparam("after"))
    .order_by(responses.c.id)
    .limit(PORTION)
)
SET_COST = update(responses).where(responses.c.id == bindparam("row")).values(cost_nanos=bindparam("cost"))
SET_TOTALS = (
    update(conversations)
    .where(conversations.c.id == bindparam("row"))
    .values(cost_nanos=bindparam("cost"), unpriced_response_count=bindparam("unpriced"))
)

log = structlog.get_logger("ccod.sql")


def reprice(connection: Connection, prices: Prices) -> None:
    """Work out all costs by `prices`, unless that was done. Its caller holds the transaction."""
    if meta.read(connection, KEY) == prices.version:
        return
    quarters = QuarterTables(connection.dialect)
    nanos, unpriced, last = Counter[int](), Counter[int](), 0
    while some := [rows.Response(*row) for row in connection.execute(ROWS, {"after": last})]:
        _reprice(connection, prices, some, quarters.open(connection))
        last = some[-1].id
        for row in some:
            if not row.agent:
                nanos[row.conversation_id] += row.cost_nanos or 0
                unpriced[row.conversation_id] += is_unpriced(row)
    _finish(connection, prices.version, nanos, unpriced)
    if last:
        log.info("responses were priced again", prices=prices.version)


def _reprice(connection: Connection, prices: Prices, some: Sequence[rows.Response], quarters: Quarters) -> None:
    changed = []
    for row in some:
        cost = cost_nanos(prices, row)
        if cost != row.cost_nanos:
            if row.counted:
                quarters.weigh_response(row, -1)
            row.cost_nanos = cost
            if row.counted:
                quarters.weigh_response(row, 1)
            changed.append({"row": row.id, "cost": cost})
    if changed:
        connection.execute(SET_COST, changed)
        quarters.save()


def _finish(connection: Connection, version: str, nanos: Counter[int], unpriced: Counter[int]) -> None:
    if nanos:
        totals = [{"row": id_, "cost": cost, "unpriced": unpriced[id_]} for id_, cost in nanos.items()]
        connection.execute(SET_TOTALS, totals)
    meta.write(connection, KEY, version)
