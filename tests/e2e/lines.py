"""Small transcript lines, written by hand."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import Any

SESSION = "0b1e2f3a-4c5d-4e6f-8a9b-0c1d2e3f4a5b"


def line(text: str, *, session: str = SESSION, cwd: str = "/home/dev/demo", **fields: Any) -> bytes:
    """Return a prompt that says `text`, as a complete line."""
    record = {
        "parentUuid": None,
        "isSidechain": False,
        "userType": "external",
        "cwd": cwd,
        "sessionId": session,
        "version": "2.1.173",
        "gitBranch": "main",
        "type": "user",
        "message": {"role": "user", "content": text},
        "uuid": str(uuid.uuid4()),
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        **fields,
    }
    return json.dumps(record, ensure_ascii=False).encode() + b"\n"


def answer(text: str, *, tool: str | None = None, **fields: Any) -> bytes:
    """Return a response of one line, with a call of `tool` when there is one."""
    block: dict[str, Any] = {"type": "text", "text": text}
    if tool:
        block = {"type": "tool_use", "id": f"toolu_{uuid.uuid4().hex}", "name": tool, "input": {"command": text}}
    message = {
        "id": f"msg_{uuid.uuid4().hex}",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-5-20250929",
        "content": [block],
        "usage": {"input_tokens": 3, "output_tokens": 5},
    }
    return line(text, type="assistant", message=message, requestId=f"req_{uuid.uuid4().hex}", **fields)
