"""/api/analytics/overview"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from ccod import FigureQuery, Figures, Observatory, Overview, ProjectFigures, ToolFigures
from ccod_http.web import CostedUsageJson, Routes, costed_usage_json, iso
from ccod_rest.analytics import ModelUsageJson, models_json
from ccod_rest.ranges import Range, RangeParameters, read_range


class FiguresJson(Struct, frozen=True, rename="camel"):
    """`toolSuccessRate` is the part of the answered calls that succeeded, null where none was answered."""

    conversation_count: int
    message_count: int
    user_message_count: int
    assistant_message_count: int
    tool_usage_count: int
    tool_error_count: int
    tool_success_rate: float | None
    response_count: int
    unpriced_count: int
    usage: CostedUsageJson


class SummaryJson(FiguresJson, frozen=True):
    average_duration_seconds: float | None


class DayFiguresJson(FiguresJson, frozen=True):
    date: str


class ProjectFiguresJson(FiguresJson, frozen=True):
    project_id: str | None
    project_name: str | None
    last_activity: str | None


class ToolFiguresJson(Struct, frozen=True, rename="camel"):
    name: str
    count: int
    error_count: int
    pending_count: int
    success_rate: float | None
    average_duration_ms: float | None


class OverviewJson(Struct, frozen=True, rename="camel"):
    """What went on from `startTime` to before `endTime`, by days that begin at midnight in `timezone`.

    Days, projects, models and tools for which there is nothing to tell are left out.
    """

    start_time: str
    end_time: str
    timezone: str
    summary: SummaryJson
    by_day: Sequence[DayFiguresJson]
    by_project: Sequence[ProjectFiguresJson]
    by_model: Sequence[ModelUsageJson]
    by_tool: Sequence[ToolFiguresJson]


def overview_routes(observatory: Observatory) -> Routes:
    routes = Routes("overview", __name__, url_prefix="/api/analytics")
    storage = observatory.storage

    @routes.get("/overview", access="read")
    async def overview(query: RangeParameters) -> OverviewJson:
        """Show what went on over all conversations: by day, project, model and tool."""
        time = read_range(query, await storage.figured())
        days = time.edges("day")
        return _overview_json(await storage.overview(FigureQuery(days, query.project_id)), time, days)

    return routes


def _overview_json(found: Overview, time: Range, days: Sequence[int]) -> OverviewJson:
    duration = found.average_duration_ms
    return OverviewJson(
        start_time=iso(days[0]),
        end_time=iso(days[-1]),
        timezone=time.zone.key,
        summary=SummaryJson(
            **_figures(found.figures), average_duration_seconds=None if duration is None else duration / 1000
        ),
        by_day=[DayFiguresJson(**_figures(figures), date=time.name(start, "day")) for start, figures in found.spans],
        by_project=[_project_json(each) for each in sorted(found.projects, key=_by_messages)],
        by_model=models_json({each.model: each.totals for each in found.models}),
        by_tool=[_tool_json(each) for each in sorted(found.tools, key=lambda tool: (-tool.call_count, tool.name))],
    )


def _by_messages(each: ProjectFigures) -> tuple[int, str]:
    figures = each.figures
    return -figures.user_message_count - figures.assistant_message_count, each.project_id or ""


def _figures(figures: Figures) -> dict[str, Any]:
    return {
        "conversation_count": figures.conversation_count,
        "message_count": figures.user_message_count + figures.assistant_message_count,
        "user_message_count": figures.user_message_count,
        "assistant_message_count": figures.assistant_message_count,
        "tool_usage_count": figures.tool_call_count,
        "tool_error_count": figures.tool_error_count,
        "tool_success_rate": _success(figures.tool_call_count, figures.tool_pending_count, figures.tool_error_count),
        "response_count": figures.totals.response_count,
        "unpriced_count": figures.totals.unpriced_count,
        "usage": costed_usage_json(figures.totals),
    }


def _project_json(each: ProjectFigures) -> ProjectFiguresJson:
    return ProjectFiguresJson(
        **_figures(each.figures),
        project_id=each.project_id,
        project_name=each.project_name,
        last_activity=None if each.last_activity is None else iso(each.last_activity),
    )


def _tool_json(tool: ToolFigures) -> ToolFiguresJson:
    return ToolFiguresJson(
        name=tool.name,
        count=tool.call_count,
        error_count=tool.error_count,
        pending_count=tool.pending_count,
        success_rate=_success(tool.call_count, tool.pending_count, tool.error_count),
        average_duration_ms=round(tool.duration_ms / tool.timed_count, 1) if tool.timed_count else None,
    )


def _success(calls: int, pending: int, errors: int) -> float | None:
    answered = calls - pending
    return (answered - errors) / answered if answered else None
