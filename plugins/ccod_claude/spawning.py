"""Which call started which subagent, as four kinds of lines and the file beside its transcript tell it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from ccod import Spawn, ToolResult
from ccod_claude.lines import Line, Outcome
from ccod_jsonl.lines import mend, undecoded

DESCRIBED, ANSWERED, PROGRESSED, NOTIFIED = 4, 3, 2, 1
"""Whose word counts: the file beside the transcript's, then the result's, the progress's, the notification's."""

NOTIFICATION = re.compile(
    r"<task-notification>\s*(?:<(?P<other>[a-z-]+)>[^<]*</(?P=other)>\s*){0,8}?"
    r"<task-id>(?P<agent>[^<]{1,200})</task-id>\s*<tool-use-id>(?P<tool>[^<]{1,200})</tool-use-id>"
)


def spawns(line: Line, results: Sequence[ToolResult]) -> Sequence[Spawn]:
    """Return what a line tells of subagents."""
    stated = line.tool_use_result
    if isinstance(stated, Outcome) and stated.agent_id and len(results) == 1:
        return (Spawn(stated.agent_id, results[0].tool_use_id, ANSWERED),)
    if line.type == "progress" and line.data and line.data.agent_id and line.parent_tool_use_id:
        return (Spawn(line.data.agent_id, line.parent_tool_use_id, PROGRESSED),)
    if line.type == "queue-operation":
        text = undecoded(line.content, str)
        found = NOTIFICATION.match(text.lstrip()) if text else None
        return (Spawn(found["agent"], found["tool"], NOTIFIED),) if found else ()
    return ()


def described(agent: str, file: bytes) -> Spawn:
    """Return what the file beside a subagent's transcript tells of it; raises ValueError if that is no JSON object."""
    fields = msgspec.json.decode(mend(file), type=dict[str, Any])
    depth = fields.get("spawnDepth")
    return Spawn(
        agent,
        _text(fields, "toolUseId"),
        DESCRIBED,
        _text(fields, "agentType"),
        _text(fields, "description"),
        _text(fields, "parentAgentId"),
        depth if isinstance(depth, int) and 0 <= depth < 2**31 else None,
    )


def _text(fields: dict[str, Any], name: str) -> str | None:
    value = fields.get(name)
    return value if isinstance(value, str) and value else None
