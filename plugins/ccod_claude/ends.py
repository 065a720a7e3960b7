"""Where the agent stops, as a transcript tells of it."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET

from ccod_claude.lines import Line

Ends = Literal["turn", "interrupt", "retries"]

LAST_REASONS = {"end_turn", "stop_sequence", "refusal"}
INTERRUPTED = b'"[Request interrupted by user'


def ends(line: Line) -> Ends | None:
    """Return in what way the agent stopped with this line, or None. Before 2.1.97 most lines do not tell."""
    if line.type == "assistant":
        return "turn" if line.message is not None and line.message.stop_reason in LAST_REASONS else None
    if line.type == "user":
        return "interrupt" if _is_interruption(line) else None
    if line.type == "system":
        return "turn" if line.subtype == "turn_duration" else "retries" if _gave_up(line) else None
    return None


def _gave_up(line: Line) -> bool:
    attempt, most = line.retry_attempt, line.max_retries
    return line.subtype == "api_error" and attempt is not None and most is not None and attempt >= most


def _is_interruption(line: Line) -> bool:
    content = line.message.content if line.message is not None else None
    if not isinstance(content, list) or len(content) != 1:
        return False
    text = content[0].text
    return text is not UNSET and memoryview(text)[: len(INTERRUPTED)] == INTERRUPTED
