"""The fields of a rollout's line that matter: `{"timestamp": …, "type": …, "payload": {…}}`.

Types and payloads are those of openai/codex, codex-rs/protocol/src/protocol.rs (`RolloutItem`, `TokenUsageInfo`, …) and
models.rs (`ResponseItem`).
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import UNSET, Meta, Raw, Struct, UnsetType

Count = Annotated[int, Meta(ge=0, le=2**40)] | None


class Tokens(Struct, gc=False):
    """A `TokenUsage`: the input includes what was read from and written to the cache, the output all reasoning."""

    input_tokens: Count = None
    cached_input_tokens: Count = None
    cache_write_input_tokens: Count = None
    output_tokens: Count = None
    reasoning_output_tokens: Count = None


class Info(Struct, gc=False):
    """What a `token_count` tells: tokens of the whole thread so far, and those of the last response."""

    total_token_usage: Tokens | None = None
    last_token_usage: Tokens | None = None


class Git(Struct, gc=False):
    branch: str | None = None


class Payload(Struct, frozen=True, gc=False):
    """The payload of a line of any type."""

    type: str | None = None
    id: str | None = None
    role: str | None = None
    content: Raw | UnsetType = UNSET
    summary: Raw | UnsetType = UNSET
    name: str | None = None
    call_id: str | None = None
    output: Raw | UnsetType = UNSET
    status: str | None = None
    message: str | None = None
    thread_name: str | None = None
    reason: str | None = None
    info: Info | None = None
    cwd: str | None = None
    cli_version: str | None = None
    git: Git | None = None
    model: str | None = None


class Line(Struct, gc=False):
    """A line of any type."""

    timestamp: datetime | int | float | None = None
    type: str | None = None
    payload: Payload | None = None
