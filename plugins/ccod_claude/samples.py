"""A made-up conversation, as Claude Code would write it: for tests and for looking around."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

SESSION = "5a3f0c1e-7b64-4e1d-9c55-0d6e2b8f4a10"
BEGAN = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)


def conversation(session: str = SESSION, began: datetime = BEGAN, folder: str = "/home/dev/garden") -> list[bytes]:
    """Return the lines of a transcript `<session>.jsonl`: a prompt, a tool call with its result, and an answer.

    The same arguments make the same bytes. They belong into a folder below `projects`, named after `folder`.
    """
    call = {
        "type": "tool_use",
        "id": f"toolu_{session[:8]}",
        "name": "Read",
        "input": {"file_path": f"{folder}/beds.md"},
    }
    result = {"type": "tool_result", "tool_use_id": call["id"], "content": "north: beans\nsouth: tomatoes"}
    said = [
        ("user", {"role": "user", "content": "What grows in the south bed?"}),
        ("assistant", _answer(f"msg_{session[:8]}_1", call, 40)),
        ("user", {"role": "user", "content": [result]}),
        ("assistant", _answer(f"msg_{session[:8]}_2", {"type": "text", "text": "Tomatoes."}, 6)),
    ]
    lines, parent = [], None
    for number, (kind, message) in enumerate(said):
        key = str(uuid.uuid5(uuid.UUID(session), str(number)))
        at = (began + timedelta(seconds=3 * number)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        record = {
            "parentUuid": parent,
            "isSidechain": False,
            "userType": "external",
            "cwd": folder,
            "sessionId": session,
            "version": "2.1.173",
            "gitBranch": "main",
            "type": kind,
            "message": message,
            "uuid": key,
            "timestamp": at,
        }
        if kind == "assistant":
            record["requestId"] = f"req_{key[:8]}"
        lines.append(json.dumps(record).encode() + b"\n")
        parent = key
    return lines


def _answer(message_id: str, block: Mapping[str, Any], output: int) -> dict[str, Any]:
    return {
        "id": message_id,
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-5-20250929",
        "content": [block],
        "stop_reason": "tool_use" if block["type"] == "tool_use" else "end_turn",
        "usage": {"input_tokens": 12, "output_tokens": output, "cache_read_input_tokens": 2000},
    }
