"""What a tool's output tells of how it went.

A shell's output is a JSON text with `metadata`, or begins with lines such as `Exit code: 0` and `Wall time: 1.2
seconds` (codex-rs/core/src/tools/mod.rs); an object that says `"success": false` is a failure of any tool.
"""

from __future__ import annotations

import re
from typing import Any

from msgspec import Raw, Struct, UnsetType

from ccod import ToolResult
from ccod_jsonl.lines import undecoded

CODE = re.compile(r"^(?:Exit code: |Process exited with code )(-?\d{1,10})$", re.MULTILINE)
WALL = re.compile(r"^Wall time: (\d{1,9}(?:\.\d{1,9})?) seconds$", re.MULTILINE)
HEADER = 400
"""So many characters before the output itself are the shell's report."""


class Metadata(Struct):
    exit_code: int | None = None
    duration_seconds: float | None = None


class Reported(Struct):
    metadata: Metadata | None = None


class Failed(Struct):
    success: bool | None = None


def outcome(call_id: str, output: Raw | UnsetType) -> ToolResult:
    """Return the result that an output is, for a call."""
    found = undecoded(output, str | Failed | list[Any])
    if isinstance(found, Failed):
        return ToolResult(call_id, found.success is False)
    if not isinstance(found, str):
        return ToolResult(call_id)
    if found.startswith("{"):
        report = undecoded(Raw(found.encode(errors="replace")), Reported)
        metadata = (report.metadata if report else None) or Metadata()
        seconds = metadata.duration_seconds
        is_true = seconds is not None and 0 <= seconds < 2**32
        return ToolResult(call_id, bool(metadata.exit_code), round(seconds * 1000) if is_true and seconds else None)
    head = found[:HEADER].partition("\nOutput:")[0]
    code, wall = CODE.search(head), WALL.search(head)
    return ToolResult(call_id, bool(code and int(code[1])), round(float(wall[1]) * 1000) if wall else None)
