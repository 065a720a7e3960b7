"""The fields of a transcript line that matter."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import UNSET, Meta, Raw, Struct, UnsetType, field

Count = Annotated[int, Meta(ge=0, le=2**40)] | None
"""A count that can be true: of those, millions add up to less than 2**63. Anything else counts as absent."""


class CacheCreation(Struct, gc=False):
    ephemeral_5m_input_tokens: Count = None
    ephemeral_1h_input_tokens: Count = None


class ServerToolUse(Struct, gc=False):
    web_search_requests: Count = None


class Tokens(Struct, gc=False):
    """An API response's `usage`."""

    input_tokens: Count = None
    output_tokens: Count = None
    cache_creation_input_tokens: Count = None
    cache_read_input_tokens: Count = None
    cache_creation: CacheCreation | None = None
    server_tool_use: ServerToolUse | None = None
    service_tier: str | None = None
    speed: str | None = None
    inference_geo: str | None = None


class Part(Struct, gc=False):
    """A content block of any type. Big values stay undecoded; most are not even named here."""

    type: str | None = None
    id: str | None = None
    name: str | None = None
    tool_use_id: str | None = None
    is_error: bool | None = None
    text: Raw | UnsetType = UNSET


class Body(Struct, gc=False):
    """What stands under `message`."""

    id: str | None = None
    model: str | None = None
    stop_reason: str | None = None
    content: str | list[Part] | None = None
    usage: Tokens | None = None


class Attached(Struct, gc=False, rename="camel"):
    """What stands under `attachment` or `data`."""

    type: str | None = None
    prompt: Raw | UnsetType = UNSET
    command_mode: str | None = None
    agent_id: str | None = None


class Outcome(Struct, gc=False, rename="camel"):
    """What stands under `toolUseResult`: the subagent that was at work, and how long a tool took, as each writes it."""

    agent_id: str | None = None
    total_duration_ms: float | None = None
    duration_ms: float | None = None
    duration_seconds: float | None = None


class Line(Struct, gc=False, rename="camel"):
    """A line of any type."""

    type: str | None = None
    subtype: str | None = None
    uuid: str | None = None
    parent_uuid: str | None = None
    logical_parent_uuid: str | None = None
    leaf_uuid: str | None = None
    session_id: str | None = None
    timestamp: datetime | int | float | None = None
    version: str | None = None
    cwd: str | None = None
    git_branch: str | None = None
    is_sidechain: bool | None = None
    is_meta: bool | None = None
    is_compact_summary: bool | None = None
    is_api_error_message: bool | None = None
    error: Raw | UnsetType = UNSET
    request_id: str | None = None
    message: Body | None = None
    tool_use_result: Outcome | str | list[Raw] | None = None
    attachment: Attached | None = None
    data: Attached | None = None
    parent_tool_use_id: str | None = field(default=None, name="parentToolUseID")
    prompt_source: str | None = None
    content: Raw | UnsetType = UNSET
    custom_title: str | None = None
    agent_name: str | None = None
    ai_title: str | None = None
    summary: str | None = None
    retry_attempt: Count = None
    max_retries: Count = None
