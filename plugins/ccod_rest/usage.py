"""/api/conversations/…/analytics, /api/conversations/…/usage and /api/usage/blocks"""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Annotated, Any

from msgspec import Meta, Struct

from ccod import Observatory, Storage, StretchQuery, Totals
from ccod_http.web import (
    CostedUsageJson,
    Moment,
    Routes,
    costed_usage_json,
    epoch_ms,
    iso,
    query_time,
)
from ccod_rest.analytics import AnalyticsJson, analytics_json, own_totals
from ccod_rest.blocks import BLOCK_MS, UsageBlock, blocks_of
from ccod_rest.examples import ANALYTICS
from ccod_rest.explaining import ResponseJson, response_json
from ccod_rest.extras import Extras
from ccod_rest.finding import find_conversation

DAY_MS = 24 * 3_600_000


class BlockParameters(Struct, rename="camel"):
    start_date: Annotated[Moment | None, Meta(description="Only blocks that end later.")] = None
    end_date: Annotated[Moment | None, Meta(description="Only what was used by then; a date is all of its day.")] = None


class BlockJson(Struct, frozen=True, rename="camel"):
    start_time: str
    end_time: str
    first_at: str | None
    last_at: str | None
    is_active: bool
    is_gap: bool
    response_count: int
    unpriced_count: int
    models: Sequence[str]
    usage: CostedUsageJson


class ExplainedJson(Struct, frozen=True, rename="camel"):
    conversation_id: str
    responses: Sequence[ResponseJson]
    usage: CostedUsageJson
    total_usage: CostedUsageJson
    unpriced: int


def usage_routes(observatory: Observatory, extras: Extras) -> Routes:
    routes = Routes("usage", __name__, url_prefix="/api")
    storage = observatory.storage

    async def analytics(conversation_id: str) -> AnalyticsJson[Any]:
        """Show what a conversation amounts to: messages, turns, tools, usage, errors."""
        conversation = await find_conversation(storage, conversation_id)
        activity = await storage.activity(conversation_id)
        by_model = await storage.total_usage(conversation_id)
        return analytics_json(conversation, activity, by_model, await extras.of(conversation))

    analytics.__annotations__["return"] = AnalyticsJson[extras.shape]  # type: ignore[name-defined]
    path = "/conversations/<conversation_id>/analytics"
    routes.get(path, access="read", stored=True, errors=[404], example=ANALYTICS)(analytics)

    @routes.get("/conversations/<conversation_id>/usage", access="read", stored=True, errors=[404])
    async def usage(conversation_id: str) -> ExplainedJson:
        """Explain the cost of a conversation: every API response, its tokens, and why it counts or not."""
        conversation = await find_conversation(storage, conversation_id)
        records = await storage.responses(conversation_id)
        total = sum((await storage.total_usage(conversation_id)).values(), Totals())
        return ExplainedJson(
            conversation_id=conversation_id,
            responses=[response_json(record) for record in records],
            usage=costed_usage_json(own_totals(conversation)),
            total_usage=costed_usage_json(total),
            unpriced=total.unpriced_count,
        )

    @routes.get("/usage/blocks", access="read")
    async def blocks(query: BlockParameters) -> list[BlockJson]:
        """Show the usage of all conversations in blocks of five hours."""
        since = query_time("startDate", query.start_date)
        until = query_time("endDate", query.end_date, end=True)
        now = epoch_ms()
        return [_block_json(block, now) for block in await read_blocks(storage, since, until)]

    return routes


async def read_blocks(storage: Storage, since: int | None, until: int | None) -> list[UsageBlock]:
    """Return the blocks that do not end before `since`, of what was used up to `until`."""
    start = None if since is None else await _last_pause_before(storage, since)
    blocks = blocks_of(await storage.stretches(StretchQuery(start, until)))
    return [block for block in blocks if since is None or block.end > since]


async def _last_pause_before(storage: Storage, since: int) -> int:
    """Return a time not after `since` at which a block must begin, for none came before it for as long as a block."""
    while stretches := await storage.stretches(StretchQuery(since - DAY_MS, since - 1)):
        for stretch in sorted(stretches, key=attrgetter("last_at"), reverse=True):
            if since - stretch.last_at > BLOCK_MS:
                return since
            since = min(since, stretch.first_at)
    return since


def _block_json(block: UsageBlock, now: int) -> BlockJson:
    return BlockJson(
        start_time=iso(block.start),
        end_time=iso(block.end),
        first_at=None if block.first_at is None else iso(block.first_at),
        last_at=None if block.last_at is None else iso(block.last_at),
        is_active=block.is_active(now),
        is_gap=block.is_gap,
        response_count=block.totals.response_count,
        unpriced_count=block.totals.unpriced_count,
        models=block.models,
        usage=costed_usage_json(block.totals),
    )
