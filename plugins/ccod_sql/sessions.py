"""Reads what conversations used, of each response's copies only the one that counts."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, func, select

from ccod import QUARTER_MS, ModelUsage, Page, SessionQuery, SessionUsage
from ccod_sql import keyset, owners
from ccod_sql.figures import PROJECT, USED, totals
from ccod_sql.reading import CONVERSATIONS, conversation
from ccod_sql.tables import conversations, model_quarters

LATEST = (conversations.c.updated_at, conversations.c.id)
Q = model_quarters.c


def find(connection: Connection, query: SessionQuery) -> Page[SessionUsage]:
    """Return a page of conversations that used something, those that went on last first."""
    asked: dict[str, Any] = {"first": query.start // QUARTER_MS, "end": query.end // QUARTER_MS}
    asked |= {"project": query.project_id} if query.project_id is not None else {}
    asked |= {"model": query.model} if query.model is not None else {}
    used: list[ColumnElement[bool]] = [Q.quarter >= bindparam("first"), Q.quarter < bindparam("end")]
    if query.model is not None:
        used.append(Q.model == bindparam("model"))
    narrowed = [] if query.project_id is None else [conversations.c.project_id == PROJECT]
    narrowed += owners.of(conversations.c.machine_id, query.machines)

    used_something = select(Q.quarter).where(Q.conversation_id == conversations.c.id, *used).exists()
    order = keyset.ordered(LATEST, descending=True)
    some = select(conversations.c.id).where(used_something, *narrowed)
    if query.after is not None:
        some = some.where(keyset.beyond(LATEST, descending=True))
    some = some.order_by(*order).limit(query.limit + 1).offset(query.offset)
    page = CONVERSATIONS.where(conversations.c.id.in_(some)).order_by(*order)
    found = connection.execute(page, asked | keyset.values(LATEST, query.after)).all()
    rows, after = keyset.cut(found, query.limit, lambda row: (row.updated_at, row.id))

    models = defaultdict(list)
    theirs = select(Q.conversation_id, Q.model, *USED).where(Q.conversation_id.in_([row.id for row in rows]), *used)
    for id_, model, *sums in connection.execute(theirs.group_by(Q.conversation_id, Q.model), asked):
        models[id_].append(ModelUsage(model, totals(sums)))
    counted = select(func.count(Q.conversation_id.distinct())).where(*used)
    if narrowed:
        counted = counted.join_from(model_quarters, conversations).where(*narrowed)
    total = connection.scalar(counted, asked) or 0
    return Page([SessionUsage(conversation(row), models[row.id]) for row in rows], total, after)
