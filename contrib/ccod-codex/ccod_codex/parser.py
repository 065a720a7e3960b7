"""Understands the lines of a rollout.

Messages are the `response_item`s, which are what the model was sent and what it answered. Events repeat some of them
for a screen (`user_message`, `agent_message`): those are no messages, but tell what a person typed, which is the title.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import msgspec
from msgspec import Struct

from ccod import Content, Entry, Record, Stream, Title, ToolResult, ToolUse, Unparsed
from ccod_codex.content import read_content
from ccod_codex.families import CALLS, DONE, OUTPUTS, TURN_ENDS, is_known
from ccod_codex.lines import Line, Payload
from ccod_codex.outcomes import outcome
from ccod_codex.responses import response
from ccod_jsonl.lines import LineReader, milliseconds, undecoded

FORMAT = "codex"
TITLE_LENGTH = 200
TYPED_RANK, NAMED_RANK = 0, 50
INJECTED = (
    *("<environment_context>", "<user_instructions>", "<turn_aborted>", "<user_shell_command>", "<skill>"),
    *("# AGENTS.md instructions", "<permissions instructions>", "<subagent_notification>"),
)
"""How messages begin that Codex itself writes in the user's place."""

NOTHING = Payload()

Role = Literal["user", "assistant"]
Ends = Literal["turn", "interrupt"]


class Part(Struct):
    text: str | None = None


class Shape(Struct):
    """What tells a record from an object that only stands inside of one."""

    timestamp: Any = None
    type: str | None = None
    payload: dict[str, msgspec.Raw] | None = None


class CodexParser:
    """The parser of the format "codex"; see `ccod.Parser`."""

    format = FORMAT
    version = "1"

    def parse(self, stream: Stream, record: Record) -> Iterable[Entry | Unparsed]:
        return LINES.parse(stream, record)

    def content(self, body: bytes) -> Content:
        return read_content(body)


def _is_record(shape: Shape) -> bool:
    return bool(shape.timestamp and shape.type and shape.payload is not None)


def _entry(stream: Stream, line: Line, offset: int, length: int, mended: str) -> Entry:
    kind, payload = line.type or "", line.payload or NOTHING
    subtype = payload.type or ""
    # A fork's rollout holds its parent's `session_meta`, too, as the second.
    is_own = kind == "session_meta" and payload.id in (None, stream.conversation)
    uses, results = _tools(payload, f"{stream.key}:{offset}") if kind == "response_item" else ((), ())
    role, meta = _role(kind, payload)
    return Entry(
        offset,
        length,
        kind,
        subtype,
        is_known(kind, subtype),
        at=milliseconds(line.timestamp),
        session=payload.id if is_own else None,
        version=payload.cli_version if is_own else None,
        cwd=payload.cwd if is_own or kind == "turn_context" else None,
        branch=payload.git.branch if is_own and payload.git else None,
        role=role,
        meta=meta,
        response=response(payload.info, stream.conversation) if subtype == "token_count" else None,
        tool_uses=uses,
        tool_results=results,
        title=_title(payload) if kind == "event_msg" else None,
        mended=mended,
        ends=_ends(payload) if kind == "event_msg" else None,
        model=payload.model if kind == "turn_context" else None,
    )


def _role(kind: str, payload: Payload) -> tuple[Role | None, bool]:
    """Return whose message a line is, if it is one, and whether a program wrote it in the user's place."""
    if kind == "compacted" and payload.message:
        return "user", True
    if kind != "response_item":
        return None, False
    match payload.type:
        case "message" if payload.role == "user":
            return "user", _first_text(payload.content).lstrip().startswith(INJECTED)
        case "message" if payload.role == "assistant":
            return "assistant", False
        case "reasoning" if _first_text(payload.summary) or _first_text(payload.content):
            return "assistant", False
    is_call = payload.type in CALLS or payload.type in DONE
    return ("assistant" if is_call else "user" if payload.type in OUTPUTS else None), False


def _first_text(content: msgspec.Raw | msgspec.UnsetType) -> str:
    parts: list[Part] = undecoded(content, list[Part]) or []
    return next((part.text for part in parts if part.text), "")


def _tools(payload: Payload, fallback: str) -> tuple[Sequence[ToolUse], Sequence[ToolResult]]:
    kind, id_ = payload.type or "", payload.call_id or payload.id or fallback
    if kind in CALLS:
        return (ToolUse(id_, payload.name or kind.removesuffix("_call")),), ()
    if kind in OUTPUTS:
        return (), (outcome(id_, payload.output),)
    if kind in DONE:
        return (ToolUse(id_, DONE[kind]),), (ToolResult(id_, payload.status == "failed"),)
    return (), ()


def _title(payload: Payload) -> Title | None:
    if payload.type == "user_message":
        text, rank = payload.message, TYPED_RANK
    elif payload.type == "thread_name_updated":
        text, rank = payload.thread_name, NAMED_RANK
    else:
        return None
    line = " ".join((text or "").split())[:TITLE_LENGTH]
    return Title(line, rank) if line else None


def _ends(payload: Payload) -> Ends | None:
    if payload.type in TURN_ENDS:
        return "turn"
    return "interrupt" if payload.type == "turn_aborted" and payload.reason == "interrupted" else None


LINES = LineReader(Line, Shape, _is_record, _entry)
