"""What a conversation amounts to: messages, turns, tools, usage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar

from msgspec import Struct
from msgspec.structs import asdict

from ccod import Activity, Conversation, ToolStatistics, Totals
from ccod_http.web import CostedUsageJson, costed_usage_json

Extra = TypeVar("Extra", bound=Struct)


class MessageCountsJson(Struct, frozen=True):
    total: int
    user: int
    assistant: int


class ToolCountsJson(Struct, frozen=True, rename="camel"):
    """`successRate` is the part of the answered calls that succeeded, null where none was answered."""

    count: int
    error_count: int
    pending_count: int
    success_rate: float | None
    p50_duration_ms: int | None
    p95_duration_ms: int | None


class NamedToolCountsJson(ToolCountsJson, frozen=True):
    name: str


class ToolsJson(ToolCountsJson, frozen=True):
    by_name: Sequence[NamedToolCountsJson]


class ModelUsageJson(CostedUsageJson, frozen=True):
    model: str
    response_count: int
    unpriced_count: int


class ErrorsJson(Struct, frozen=True):
    api: int
    tools: int


class ResponseTimesJson(Struct, frozen=True, rename="camel"):
    """From a prompt to the beginning of the answer; null where no prompt was answered."""

    average_ms: int | None
    p50_ms: int | None
    p95_ms: int | None


class AnalyticsJson(Struct, Generic[Extra], frozen=True, rename="camel"):
    """`usage` is the conversation's own; `totalUsage`, `models` and `unpriced` hold its subagents' too.

    `plugins` is what plugins add, each under its name; null where one failed.
    """

    messages: MessageCountsJson
    turns: int
    tools: ToolsJson
    usage: CostedUsageJson
    total_usage: CostedUsageJson
    models: Sequence[ModelUsageJson]
    duration_seconds: float
    response_times: ResponseTimesJson
    errors: ErrorsJson
    unpriced: int
    plugins: Extra


def analytics_json(
    conversation: Conversation, activity: Activity, by_model: Mapping[str, Totals], extra: Extra
) -> AnalyticsJson[Extra]:
    total = sum(by_model.values(), Totals())
    times = activity.response_times
    return AnalyticsJson(
        messages=MessageCountsJson(
            conversation.message_count, conversation.user_message_count, conversation.assistant_message_count
        ),
        turns=activity.turn_count,
        tools=ToolsJson(
            **_tool_counts(activity.all_tools),
            by_name=[NamedToolCountsJson(**_tool_counts(tool), name=tool.name) for tool in activity.tools],
        ),
        usage=costed_usage_json(own_totals(conversation)),
        total_usage=costed_usage_json(total),
        models=models_json(by_model),
        duration_seconds=max(0, conversation.updated_at - conversation.created_at) / 1000,
        response_times=ResponseTimesJson(times.average_ms, times.median_ms, times.p95_ms),
        errors=ErrorsJson(conversation.error_count, conversation.tool_error_count),
        unpriced=total.unpriced_count,
        plugins=extra,
    )


def models_json(by_model: Mapping[str, Totals]) -> list[ModelUsageJson]:
    """Return what was used of each model, the dearest first."""
    ordered = sorted(by_model.items(), key=lambda item: (-item[1].cost_nanos, -item[1].usage.total_tokens, item[0]))
    return [_model_json(model, totals) for model, totals in ordered]


def own_totals(conversation: Conversation) -> Totals:
    """Return what the conversation used, its subagents apart."""
    return Totals(
        conversation.usage, conversation.cost_nanos, conversation.response_count, conversation.unpriced_response_count
    )


def _tool_counts(tool: ToolStatistics) -> dict[str, Any]:
    answered = tool.count - tool.pending_count
    return {
        "count": tool.count,
        "error_count": tool.error_count,
        "pending_count": tool.pending_count,
        "success_rate": (answered - tool.error_count) / answered if answered else None,
        "p50_duration_ms": tool.median_ms,
        "p95_duration_ms": tool.p95_ms,
    }


def _model_json(model: str, totals: Totals) -> ModelUsageJson:
    return ModelUsageJson(
        **asdict(costed_usage_json(totals)),
        model=model,
        response_count=totals.response_count,
        unpriced_count=totals.unpriced_count,
    )
