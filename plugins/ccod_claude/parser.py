"""Understands the lines of a transcript. A line that is as it should be is decoded once, into typed fields."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

from msgspec import UNSET, Struct

from ccod import Content, Entry, Record, Stream, ToolResult, ToolUse, Unparsed
from ccod_claude.content import read_content
from ccod_claude.ends import ends
from ccod_claude.families import TITLES, is_known
from ccod_claude.lines import Line, Outcome, Part
from ccod_claude.queued import is_queued, is_typed, queued
from ccod_claude.responses import response
from ccod_claude.spawning import spawns
from ccod_claude.titles import title
from ccod_jsonl.lines import LineReader, milliseconds

FORMAT = "claude"

Role = Literal["user", "assistant"]

TITLED = TITLES | {"user", "attachment"}
USES = {"tool_use", "server_tool_use", "mcp_tool_use"}
LONGEST_MS = 2**43
"""A call that took longer than three centuries states garbage."""
NO_ERROR = (b"null", b"false", b'""')


class Shape(Struct, rename="camel"):
    """What tells a record from an object that only stands inside of one."""

    type: str | None = None
    session_id: Any = None
    leaf_uuid: Any = None
    snapshot: Any = None


class ClaudeParser:
    """The parser of the format "claude"; see `ccod.Parser`."""

    format = FORMAT
    version = "3"

    def parse(self, stream: Stream, record: Record) -> Iterable[Entry | Unparsed]:
        return LINES.parse(stream, record)

    def content(self, body: bytes) -> Content:
        return read_content(body)


def _is_record(shape: Shape) -> bool:
    return bool(shape.type and (shape.session_id or shape.leaf_uuid or shape.snapshot))


def _entry(stream: Stream, line: Line, offset: int, length: int, mended: str) -> Entry:
    kind = line.type or ""
    subtype = line.subtype or _nested_type(line)
    message = line.message
    role: Role | None = None
    answer = None
    uses: Sequence[ToolUse] = ()
    results: Sequence[ToolResult] = ()
    error = line.is_api_error_message is True
    if message is not None and kind in ("user", "assistant"):
        role = "user" if kind == "user" else "assistant"
        if isinstance(message.content, list):
            uses, results = _tools(message.content, line)
        if kind == "assistant":
            answer = response(message, line.request_id, line.uuid or f"{stream.key}:{offset}")
            error = error or _states_error(line)
    waited = kind == "attachment" and is_queued(line)
    if waited:
        role = "user"
    return Entry(
        offset,
        length,
        kind,
        subtype,
        is_known(kind, subtype),
        line.uuid or None,
        line.parent_uuid or None,
        milliseconds(line.timestamp),
        line.session_id or None,
        line.version or None,
        line.cwd or None,
        line.git_branch or None,
        role,
        line.is_sidechain is True,
        line.is_meta is True or line.is_compact_summary is True or (waited and not is_typed(line)),
        error,
        answer,
        uses,
        results,
        None if results or kind not in TITLED or stream.agent or line.is_sidechain else title(line),
        mended,
        ends(line),
        logical_parent=line.logical_parent_uuid or None,
        spawns=spawns(line, results),
        queued=queued(line) if waited or line.prompt_source else None,
    )


def _nested_type(line: Line) -> str:
    if line.is_compact_summary:
        return "compact_summary"
    nested = line.attachment or line.data
    return (nested.type if nested else None) or ""


def _states_error(line: Line) -> bool:
    return line.error is not UNSET and bytes(line.error) not in NO_ERROR


def _tools(parts: Sequence[Part], line: Line) -> tuple[Sequence[ToolUse], Sequence[ToolResult]]:
    uses: list[ToolUse] = []
    results: list[ToolResult] = []
    for part in parts:
        if part.tool_use_id:
            duration = _duration(line) if len(parts) == 1 else None
            results.append(ToolResult(part.tool_use_id, part.is_error is True, duration))
        elif part.id and part.type in USES:
            uses.append(ToolUse(part.id, part.name or ""))
    return uses, results


def _duration(line: Line) -> int | None:
    """Return what the transcript states of the only result on a line."""
    stated = line.tool_use_result
    if not isinstance(stated, Outcome):
        return None
    for duration, unit in (
        (stated.total_duration_ms, 1),
        (stated.duration_ms, 1),
        (stated.duration_seconds, 1000),
    ):
        if duration is not None and 0 <= duration <= LONGEST_MS:
            return round(duration * unit)
    return None


LINES = LineReader(Line, Shape, _is_record, _entry)
