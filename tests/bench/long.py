"""One conversation so long that each of its lists has a page 10,000."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

SESSION = "10009000-0000-4000-8000-000000000000"
CWD = "/home/dev/code/long"
STARTED = 1_750_000_000_000
LIMIT = 10


def write(root: Path, pages: int) -> Path:
    """Write a conversation of `pages` pages of tool calls, `LIMIT` on each, and twice as many of messages."""
    path = root / CWD.replace("/", "-") / f"{SESSION}.jsonl"
    path.parent.mkdir(parents=True)
    with path.open("w") as file:
        file.writelines(f"{json.dumps(record)}\n" for record in _records(pages * LIMIT + 1))
    last = (STARTED // 1000) + 2 * pages * LIMIT
    os.utime(path, (last, last))
    return path


def _records(calls: int) -> Iterator[dict[str, Any]]:
    """Yield a call and its result, `calls` times."""
    for number in range(calls):
        use = {"type": "tool_use", "id": f"toolu_{number}", "name": "Bash", "input": {"command": f"make step-{number}"}}
        answer = {
            "id": f"msg_{number}",
            "type": "message",
            "role": "assistant",
            "model": "claude-haiku-4-5-20251001",
            "content": [use],
            "usage": {"input_tokens": 3, "output_tokens": 5},
        }
        result = {
            "type": "tool_result",
            "tool_use_id": use["id"],
            "content": f"step {number} is done",
            "is_error": False,
        }
        yield _record(2 * number, "assistant", answer) | {"requestId": f"req_{number}"}
        yield _record(2 * number + 1, "user", {"role": "user", "content": [result]})


def _record(number: int, kind: str, message: dict[str, Any]) -> dict[str, Any]:
    at = datetime.fromtimestamp(STARTED / 1000 + number, UTC)
    return {
        "parentUuid": str(UUID(int=number)) if number else None,
        "isSidechain": False,
        "userType": "external",
        "cwd": CWD,
        "sessionId": SESSION,
        "version": "2.1.173",
        "gitBranch": "main",
        "type": kind,
        "message": message,
        "uuid": str(UUID(int=number + 1)),
        "timestamp": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }
