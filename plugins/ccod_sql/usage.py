"""Reads responses: those of one conversation with all about them, and those that count over all conversations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, reduce
from operator import add
from typing import Any

from sqlalchemy import Connection, Select, and_, bindparam, case, func, select

from ccod import QUARTER_MS, Prices, ResponseRecord, Stretch, StretchQuery, Totals
from ccod_sql import owners, ownership, rows
from ccod_sql.costs import told
from ccod_sql.figures import totals
from ccod_sql.rows import portions
from ccod_sql.tables import TOKENS, conversations, entries, responses

COLUMNS = tuple(responses.c[name] for name in rows.Response.__struct_fields__)
CONVERSATION = select(conversations.c.id).where(conversations.c.key == bindparam("conversation")).scalar_subquery()
OF_CONVERSATION = (
    select(*COLUMNS).where(responses.c.conversation_id == CONVERSATION).order_by(responses.c.at, responses.c.id)
)
LINES = (
    select(entries.c.response_id, func.count())
    .where(entries.c.conversation_id == CONVERSATION, entries.c.response_id.is_not(None))
    .group_by(entries.c.response_id)
)


def responses_of(connection: Connection, conversation_id: str, prices: Prices) -> Sequence[ResponseRecord]:
    """Return the responses of a conversation and its subagents, by time."""
    found = _of(connection, conversation_id)
    lines: dict[int, int] = dict(map(tuple, connection.execute(LINES, {"conversation": conversation_id})))
    owners = _owners(connection, found)
    records = []
    for row in found:
        response = told(row)
        records.append(
            ResponseRecord(
                conversation_id=conversation_id,
                agent=row.agent or None,
                response=response,
                at=row.at,
                sidechain=row.sidechain,
                line_count=lines.get(row.id, 0),
                cost=prices.cost(response, row.at),
                counted=row.counted,
                owner=owners.get(row.id, conversation_id),
            )
        )
    return records


def total_usage(connection: Connection, conversation_id: str) -> Mapping[str, Totals]:
    """Return by model what a conversation used, and its subagents beyond that."""
    totals: dict[str, Totals] = {}
    for group in ownership.by_message(_of(connection, conversation_id)):
        owners = ownership.owners(group, {})
        for row in group:
            if not row.agent or owners[row.id] is row:
                used = Totals.of(told(row), row.cost_nanos)
                totals[row.model] = totals.get(row.model, Totals()) + used
    return totals


def stretches(connection: Connection, query: StretchQuery) -> Sequence[Stretch]:
    """Return what was used of each model in each quarter of an hour, as the index of responses that count has them."""
    values = {"since": query.since, "until": query.until}
    given = {name: value for name, value in values.items() if value is not None}
    statement = _stretches(frozenset(given))
    if query.machines is not None:
        statement = statement.where(*owners.whose(responses.c.conversation_id, query.machines))
    found = connection.execute(statement, given)
    return [Stretch(model, first, last, totals(used)) for model, first, last, *used in found]


@cache
def _stretches(ends: frozenset[str]) -> Select[Any]:
    c = responses.c
    first = func.min(c.at)
    used_something = reduce(add, (c[name] for name in TOKENS)) > 0
    unpriced = and_(c.cost_nanos.is_(None), c.model.not_like("<%"), used_something)
    used = [func.sum(c[name]) for name in TOKENS]
    counts = [func.coalesce(func.sum(c.cost_nanos), 0), func.count(), func.count(case((unpriced, 1)))]
    statement = select(c.model, first, func.max(c.at), *used, *counts).where(c.counted)
    if "since" in ends:
        statement = statement.where(c.at >= bindparam("since"))
    if "until" in ends:
        statement = statement.where(c.at <= bindparam("until"))
    return statement.group_by((c.at - 1) // QUARTER_MS, c.model).order_by(first, c.model)


def _of(connection: Connection, conversation_id: str) -> list[rows.Response]:
    return [rows.Response(*row) for row in connection.execute(OF_CONVERSATION, {"conversation": conversation_id})]


def _owners(connection: Connection, found: Sequence[rows.Response]) -> dict[int, str]:
    """Return for those of `found` that do not count, by their ids, the conversation of the copy that does."""
    message_ids = {row.message_id for row in found if not row.counted}
    copies = [
        rows.Response(*row)
        for some in portions(message_ids)
        for row in connection.execute(select(*COLUMNS).where(responses.c.message_id.in_(some)))
    ]
    keys = ownership.keys_of(connection, copies)
    return {
        id_: keys[owner.conversation_id]
        for group in ownership.by_message(copies)
        for id_, owner in ownership.owners(group, keys).items()
    }
