"""/api/status: all that `ccod status` shows, in one answer, for those who ask often."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Meta, Struct

from ccod import (
    QUARTER_MS,
    ConversationQuery,
    FigureQuery,
    Observatory,
    Progress,
    ServiceHealth,
    State,
    StorageFacts,
    Totals,
    __version__,
)
from ccod_http.web import CostedUsageJson, Routes, costed_usage_json, epoch_ms, invalid, iso, sees_here, served_at

NOW: tuple[State, ...] = ("active", "pending_tool", "waiting", "error")


class StatusParameters(Struct, rename="camel"):
    timezone: Annotated[
        str, Meta(min_length=1, max_length=64, description="Where today began, such as Europe/Berlin.")
    ] = "UTC"


class TodayJson(Struct, frozen=True, rename="camel"):
    """What was used since the day began, each API response once."""

    date: str
    response_count: int
    unpriced_count: int
    usage: CostedUsageJson


class StatusJson(Struct, frozen=True, rename="camel"):
    """`status` is `healthy` or `degraded`; `sessions` counts the conversations that are in a state other than over.

    Who does not see this machine is told of no service, backfill and task, which can name paths of it.
    """

    status: str
    version: str
    pid: int
    started_at: str
    uptime: float
    served_at: list[str]
    services: dict[str, ServiceHealth]
    backfill: Progress
    tasks: dict[str, Progress]
    storage: StorageFacts
    sessions: dict[State, int]
    today: TodayJson


def status_routes(observatory: Observatory) -> Routes:
    routes = Routes("status", __name__, url_prefix="/api/status")
    storage, health = observatory.storage, observatory.health

    @routes.get("", access="read", pace="any")
    async def status(query: StatusParameters) -> StatusJson:
        """Show how the daemon is, what it has stored, and what goes on now."""
        now, is_told = epoch_ms(), sees_here()
        return StatusJson(
            status="healthy" if health.well else "degraded",
            version=__version__,
            pid=os.getpid(),
            started_at=iso(now - round(1000 * health.uptime)),
            uptime=round(health.uptime, 3),
            served_at=[*served_at()] if is_told else [],
            services=health.services if is_told else {},
            backfill=health.progress if is_told else Progress(),
            tasks=health.tasks if is_told else {},
            storage=await storage.facts(),
            sessions={state: await _count(state) for state in NOW},
            today=await _today(_zone(query.timezone), now),
        )

    async def _count(state: State) -> int:
        return (await storage.conversations(ConversationQuery(state=state, limit=1))).total

    async def _today(zone: ZoneInfo, now: int) -> TodayJson:
        day = datetime.fromtimestamp(now / 1000, UTC).astimezone(zone).date()
        begins, ends = (_quarter(datetime(d.year, d.month, d.day, tzinfo=zone)) for d in (day, day + timedelta(days=1)))
        used = await storage.usage(FigureQuery([begins, ends]))
        total = sum((each.totals for each in used), Totals())
        return TodayJson(day.isoformat(), total.response_count, total.unpriced_count, costed_usage_json(total))

    return routes


def _quarter(moment: datetime) -> int:
    return int(moment.timestamp() * 1000) // QUARTER_MS * QUARTER_MS


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise invalid("timezone", "is wrong: expected a name such as Europe/Berlin or UTC") from None
