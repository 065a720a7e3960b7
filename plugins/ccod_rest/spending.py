"""/api/usage/daily, /api/usage/weekly, /api/usage/monthly and /api/usage/sessions"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import Annotated

import trio
from msgspec import Meta, Struct

from ccod import FigureQuery, Key, Observatory, Redactor, SessionQuery, SessionUsage, Totals, WrongKeyError
from ccod_http.web import CostedUsageJson, Paged, Routes, costed_usage_json, iso
from ccod_rest.analytics import ModelUsageJson, models_json
from ccod_rest.ranges import Range, RangeListing, Unit, read_range


class SpendingParameters(RangeListing):
    limit: Annotated[int, Meta(ge=1, le=366, description="How many items a page holds.")] = 31
    model: Annotated[
        Annotated[str, Meta(min_length=1)] | None, Meta(description="Only what was used of this model.")
    ] = None


class SessionParameters(SpendingParameters):
    limit: Annotated[int, Meta(ge=1, le=1000, description="How many conversations a page holds.")] = 50


class SpendingJson(Struct, frozen=True, rename="camel"):
    """What was used from `startTime` to before `endTime`, which is the `period`, or what was asked for of it."""

    period: str
    start_time: str
    end_time: str
    response_count: int
    unpriced_count: int
    usage: CostedUsageJson
    models: Sequence[ModelUsageJson]


class SessionUsageJson(Struct, frozen=True, rename="camel"):
    """What of a conversation counts in totals: not the responses that it copied from another."""

    conversation_id: str
    title: str
    project_id: str | None
    project_name: str
    created_at: str
    updated_at: str
    response_count: int
    unpriced_count: int
    usage: CostedUsageJson
    models: Sequence[ModelUsageJson]


def spending_routes(observatory: Observatory) -> Routes:
    routes = Routes("spending", __name__, url_prefix="/api/usage")
    storage, redactor = observatory.storage, observatory.redactor

    @routes.get("/daily", access="read")
    async def daily(query: SpendingParameters) -> Paged[list[SpendingJson]]:
        """List the usage of each day, the latest first."""
        return await spent(query, "day")

    @routes.get("/weekly", access="read")
    async def weekly(query: SpendingParameters) -> Paged[list[SpendingJson]]:
        """List the usage of each week, which begins on Monday, the latest first."""
        return await spent(query, "week")

    @routes.get("/monthly", access="read")
    async def monthly(query: SpendingParameters) -> Paged[list[SpendingJson]]:
        """List the usage of each month, the latest first."""
        return await spent(query, "month")

    @routes.get("/sessions", access="read")
    async def sessions(query: SessionParameters) -> Paged[list[SessionUsageJson]]:
        """List the usage of each conversation, the one that went on last first."""
        time = read_range(query, await storage.figured())
        page = await storage.sessions(
            SessionQuery(
                start=time.start,
                end=time.end,
                project_id=query.project_id,
                model=query.model,
                offset=query.offset,
                limit=query.limit,
                after=query.after,
            )
        )
        shown = partial(_sessions_json, page.items, redactor)
        return query.listed(await trio.to_thread.run_sync(shown), page.total, page.next)

    async def spent(query: SpendingParameters, unit: Unit) -> Paged[list[SpendingJson]]:
        """Return a page of what there is to tell: that is a row for each day at most, and read at once."""
        time = read_range(query, await storage.figured())
        edges = time.edges(unit)
        by_start: dict[int, dict[str, Totals]] = defaultdict(dict)
        for each in await storage.usage(FigureQuery(edges, query.project_id, query.model)):
            by_start[each.start][each.model] = each.totals
        starts = sorted(by_start, reverse=True)
        behind = _behind(starts, query.after)[query.offset :]
        shown = behind[: query.limit]
        ends = dict(pairwise(edges))
        data = [_spending_json(start, ends[start], by_start[start], time, unit) for start in shown]
        return query.listed(data, len(starts), (shown[-1],) if len(behind) > len(shown) else None)

    return routes


def _behind(starts: Sequence[int], after: Key | None) -> Sequence[int]:
    """Return those of `starts`, the latest first, that come behind a key."""
    match after:
        case None:
            return starts
        case (int(last),):
            return [start for start in starts if start < last]
    raise WrongKeyError("a key that this list does not have")


def _spending_json(start: int, end: int, models: dict[str, Totals], time: Range, unit: Unit) -> SpendingJson:
    total = sum(models.values(), Totals())
    return SpendingJson(
        period=time.name(start, unit),
        start_time=iso(start),
        end_time=iso(end),
        response_count=total.response_count,
        unpriced_count=total.unpriced_count,
        usage=costed_usage_json(total),
        models=models_json(models),
    )


def _sessions_json(sessions: Sequence[SessionUsage], redactor: Redactor) -> list[SessionUsageJson]:
    """Show a page, which can be long: run it in a thread, where it holds up nobody."""
    return [_session_json(each, redactor) for each in sessions]


def _session_json(each: SessionUsage, redactor: Redactor) -> SessionUsageJson:
    conversation = each.conversation
    total = sum((model.totals for model in each.models), Totals())
    return SessionUsageJson(
        conversation_id=conversation.id,
        title=redactor.mask(conversation.title),
        project_id=conversation.project_id,
        project_name=conversation.project_name,
        created_at=iso(conversation.created_at),
        updated_at=iso(conversation.updated_at),
        response_count=total.response_count,
        unpriced_count=total.unpriced_count,
        usage=costed_usage_json(total),
        models=models_json({model.model: model.totals for model in each.models}),
    )
