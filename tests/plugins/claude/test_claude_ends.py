"""Where a transcript tells that the agent stopped."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ccod import Entry, Record, Stream
from ccod_claude.parser import ClaudeParser

STREAM = Stream("k", "claude", "/k", "c")


def parsed(**line: Any) -> Entry:
    (entry,) = ClaudeParser().parse(STREAM, Record(0, json.dumps(line).encode() + b"\n"))
    assert isinstance(entry, Entry)
    return entry


def stopped(reason: str | None) -> dict[str, Any]:
    return {"type": "assistant", "message": {"role": "assistant", "content": [], "stop_reason": reason}}


def said(*texts: str) -> dict[str, Any]:
    return {"type": "user", "message": {"content": [{"type": "text", "text": text} for text in texts]}}


def retry(attempt: Any, most: Any) -> dict[str, Any]:
    return {"type": "system", "subtype": "api_error", "retryAttempt": attempt, "maxRetries": most}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (stopped("end_turn"), "turn"),
        (stopped("stop_sequence"), "turn"),
        (stopped("refusal"), "turn"),
        (stopped("tool_use"), None),
        (stopped("max_tokens"), None),
        (stopped(None), None),
        ({"type": "assistant"}, None),
        ({"type": "system", "subtype": "turn_duration", "durationMs": 5}, "turn"),
        ({"type": "system", "subtype": "stop_hook_summary"}, None),
        ({"type": "user", "subtype": "turn_duration"}, None),
        (retry(10, 10), "retries"),
        (retry(11, 10), "retries"),
        (retry(9, 10), None),
        (retry(None, 10), None),
        (retry(10, None), None),
        (retry("10", {}), None),
        (retry(10, 10) | {"subtype": "informational"}, None),
        (said("[Request interrupted by user]"), "interrupt"),
        (said("[Request interrupted by user for tool use]"), "interrupt"),
        (said("[Request interrupted by user]", "and more"), None),
        (said("what does [Request interrupted by user] mean?"), None),
        (said(), None),
        ({"type": "user", "message": {"content": "[Request interrupted by user]"}}, None),
        ({"type": "novelty", "message": {"stop_reason": "end_turn"}}, None),
    ],
)
def test_ends(line: dict[str, Any], expected: str | None) -> None:
    assert parsed(**line).ends == expected
