"""The fields of a transcript line that matter, and two ways to decode them: at once, or field by field."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import datetime
from typing import Annotated, Any, TypeVar, get_args, get_origin

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType, field

S = TypeVar("S", bound=Struct)

Count = Annotated[int, Meta(ge=0, le=2**40)] | None
"""A count that can be true: of those, millions add up to less than 2**63. Anything else counts as absent."""

SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
HIGH, LOW = rb"\\u[dD][89abAB][0-9a-fA-F]{2}", rb"\\u[dD][c-fC-F][0-9a-fA-F]{2}"
LONE = rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}(?:(?<=%b)(?!%b)|(?<=%b)(?<!%b))" % (HIGH, LOW, LOW, HIGH + LOW)
LONE_SURROGATES = re.compile(LONE + rb"(?:%b)*+" % LONE)
"""True where each backslash starts an escape."""


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


decode_line = msgspec.json.Decoder(Line).decode


def salvage_line(record: bytes) -> tuple[Line, str]:
    """Decode a JSON object whose bytes or fields are not as they should be, and say in a few words what was mended.

    Raises ValueError if it is none.
    """
    mended = damage(record)
    record = mend(record)
    try:
        return decode_line(record), mended
    except (ValueError, RecursionError):
        return _by_field(record, Line), ", ".join(filter(None, (mended, "fields of a wrong type or size")))


def undecoded(data: Raw | UnsetType, kind: Any) -> Any:
    """Decode a value that was left as it stood; None when it is absent or of another kind."""
    if data is UNSET:
        return None
    try:
        return msgspec.json.decode(mend(bytes(data)), type=kind)
    except (ValueError, RecursionError):
        return None


def mend(text: bytes) -> bytes:
    """Replace what no database and no other program accepts: lone surrogates, and bytes that are not UTF-8."""
    return pair_surrogates(text).decode("utf-8", "replace").encode()


def pair_surrogates(text: bytes) -> bytes:
    """Replace escaped surrogates without a partner; every other byte of the line stays where it is."""
    if not SURROGATE.search(text):
        return text
    text = text.replace(rb"\\", b"\n\n")  # hidden: a line has no newline but the one at its end
    return LONE_SURROGATES.sub(lambda run: rb"\ufffd" * (len(run[0]) // 6), text).replace(b"\n\n", rb"\\")


def damage(record: bytes) -> str:
    """Say in a few words what `mend` would replace."""
    paired = pair_surrogates(record)
    words = ["lone surrogates"] if paired != record else []
    if not _is_utf8(record):
        words.append("invalid UTF-8")
    return ", ".join(words)


def _is_utf8(text: bytes) -> bool:
    try:
        return text.isascii() or bool(text.decode())
    except UnicodeDecodeError:
        return False


def _by_field(data: bytes | Raw, kind: type[S]) -> S:
    """Decode an object of which some fields have a wrong type: those count as absent."""
    found = msgspec.json.decode(data, type=dict[str, Raw])
    values: dict[str, Any] = {}
    for known in msgspec.structs.fields(kind):
        if known.encode_name in found:
            with suppress(ValueError, RecursionError):
                values[known.name] = _value(found[known.encode_name], known.type)
    return kind(**values)


def _value(data: Raw, kind: Any) -> Any:
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError:
        for option in get_args(kind):
            if isinstance(option, type) and issubclass(option, Struct):
                return _by_field(data, option)
            if get_origin(option) is list:
                return _items(data, *get_args(option))
        raise


def _items(data: Raw, kind: type[S]) -> list[S]:
    items: list[S] = []
    for item in msgspec.json.decode(data, type=list[Raw]):
        with suppress(ValueError, RecursionError):
            items.append(_by_field(item, kind))
    return items
