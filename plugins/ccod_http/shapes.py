"""What is read from the storage, as clients see it: camelCase, times as ISO text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

from ccod import Block, Content, Conversation, Message, Project, Redactor, ToolCall, Totals, Usage
from ccod_http.times import iso


class ProjectJson(Struct, frozen=True, rename="camel"):
    id: str
    name: str
    description: str
    claude_path: str
    settings: dict[str, Any]
    created_at: str
    updated_at: str
    conversation_count: int
    last_activity: str | None
    machine: str


class UsageJson(Struct, frozen=True, rename="camel"):
    input_tokens: int
    output_tokens: int
    cache_creation_tokens: int
    cache_read_tokens: int
    total_tokens: int


class CostedUsageJson(UsageJson, frozen=True):
    """Tokens, and what they cost at list price: null where nothing of what was used has a known price."""

    cost_usd: float | None
    cost_usd_micros: int | None


class ConversationJson(Struct, frozen=True, rename="camel"):
    id: str
    project_id: str | None
    project_name: str
    title: str
    status: str
    state: str
    state_reason: str
    state_since: str
    file_path: str
    file_deleted_at: str | None
    file_rewritten_at: str | None
    machine: str
    created_at: str
    updated_at: str
    last_updated: str
    duration_seconds: float
    message_count: int
    user_message_count: int
    assistant_message_count: int
    response_count: int
    tool_usage_count: int
    tool_error_count: int
    subagent_count: int
    model: str | None
    version: str | None
    git_branch: str | None
    cwd: str | None
    latest_cwd: str | None
    token_count: int
    usage: UsageJson
    cost_usd: float | None
    cost_usd_micros: int | None


class ToolCallJson(Struct, frozen=True, rename="camel"):
    id: str
    name: str
    input: Any
    execution_time: int | None
    status: str
    result_message_id: str | None


class MessageJson(Struct, frozen=True, rename="camel"):
    id: str
    conversation_id: str
    sequence: int
    role: str
    content: str
    blocks: Sequence[Block]
    tool_calls: Sequence[ToolCallJson]
    timestamp: str
    model: str | None
    token_count: int | None
    usage: UsageJson | None
    response_id: str | None
    parent_id: str | None
    agent_id: str | None
    is_sidechain: bool
    is_meta: bool


def project_json(project: Project) -> ProjectJson:
    return ProjectJson(
        id=project.id,
        name=project.name,
        description=project.description,
        claude_path=project.path,
        settings=project.settings,
        created_at=iso(project.created_at),
        updated_at=iso(project.updated_at),
        conversation_count=project.conversation_count,
        last_activity=_iso(project.last_activity),
        machine=project.machine,
    )


def conversation_json(conversation: Conversation, redactor: Redactor) -> ConversationJson:
    updated_at = iso(conversation.updated_at)
    micros = cost_micros(conversation.cost_nanos, conversation.unpriced_response_count)
    return ConversationJson(
        id=conversation.id,
        project_id=conversation.project_id,
        project_name=conversation.project_name,
        title=redactor.mask(conversation.title),
        status=conversation.status,
        state=conversation.state,
        state_reason=conversation.state_reason,
        state_since=iso(conversation.state_since),
        file_path=conversation.file_path,
        file_deleted_at=_iso(conversation.file_deleted_at),
        file_rewritten_at=_iso(conversation.file_rewritten_at),
        machine=conversation.machine,
        created_at=iso(conversation.created_at),
        updated_at=updated_at,
        last_updated=updated_at,
        duration_seconds=max(0, conversation.updated_at - conversation.created_at) / 1000,
        message_count=conversation.message_count,
        user_message_count=conversation.user_message_count,
        assistant_message_count=conversation.assistant_message_count,
        response_count=conversation.response_count,
        tool_usage_count=conversation.tool_call_count,
        tool_error_count=conversation.tool_error_count,
        subagent_count=conversation.subagent_count,
        model=conversation.model,
        version=conversation.version,
        git_branch=conversation.branch,
        cwd=conversation.cwd,
        latest_cwd=conversation.latest_cwd,
        token_count=conversation.usage.total_tokens,
        usage=usage_json(conversation.usage),
        cost_usd=dollars(micros),
        cost_usd_micros=micros,
    )


def message_json(message: Message, content: Content) -> MessageJson:
    inputs = {block.id: block.input for block in content.blocks if block.type == "toolUse"}
    return MessageJson(
        id=message.id,
        conversation_id=message.conversation_id,
        sequence=message.sequence,
        role=message.role,
        content=content.text,
        blocks=content.blocks,
        tool_calls=[tool_call_json(call, inputs.get(call.id)) for call in message.tool_calls],
        timestamp=iso(message.at),
        model=message.model,
        token_count=message.usage.total_tokens if message.usage else None,
        usage=usage_json(message.usage) if message.usage else None,
        response_id=message.response_id,
        parent_id=message.parent_id,
        agent_id=message.agent,
        is_sidechain=message.sidechain,
        is_meta=message.meta,
    )


def tool_call_json(call: ToolCall, arguments: Any) -> ToolCallJson:
    return ToolCallJson(
        id=call.id,
        name=call.name,
        input=arguments,
        execution_time=call.duration_ms,
        status=call.status,
        result_message_id=call.result_message_id,
    )


def usage_json(usage: Usage) -> UsageJson:
    return UsageJson(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_creation_tokens=usage.cache_creation_tokens,
        cache_read_tokens=usage.cache_read_tokens,
        total_tokens=usage.total_tokens,
    )


def costed_usage_json(totals: Totals) -> CostedUsageJson:
    micros = cost_micros(totals.cost_nanos, totals.unpriced_count)
    return CostedUsageJson(**asdict(usage_json(totals.usage)), cost_usd=dollars(micros), cost_usd_micros=micros)


def cost_micros(nanos: int, unpriced_count: int) -> int | None:
    """Return millionths of a dollar, rounded half up; None where nothing is priced but something was used."""
    return None if unpriced_count and not nanos else (nanos + 500) // 1000


def dollars(micros: int | None) -> float | None:
    return None if micros is None else micros / 1_000_000


def _iso(ms: int | None) -> str | None:
    return None if ms is None else iso(ms)
