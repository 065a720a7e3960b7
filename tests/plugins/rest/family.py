"""A session with subagents in both layouts, spilled output, a compaction, and a summary that stands in another file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from ccod import Batch, Checkpoint, Parser, Record, Storage, Stream
from ccod_claude.attachments import AttachmentParser
from ccod_claude.layout import place
from ccod_claude.parser import ClaudeParser

ROOT = "/t"
SESSION = "11111111-2222-4333-8444-555555555555"
OTHER = "22222222-2222-4333-8444-555555555555"
SECRET = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
PARSERS: Mapping[str, Parser] = {"claude": ClaudeParser(), "claude-attachment": AttachmentParser()}


def line(kind: str, uuid: str, parent: str | None, at: int, **fields: Any) -> dict[str, Any]:
    return {
        "type": kind,
        "uuid": uuid,
        "parentUuid": parent,
        "timestamp": f"2026-01-01T00:{at:02}:00.000Z",
        "sessionId": SESSION,
        "cwd": "/home/u/garden",
        "isSidechain": False,
        "version": "2.1.237",
    } | fields


def said(uuid: str, parent: str | None, at: int, text: str, **fields: Any) -> dict[str, Any]:
    return line("user", uuid, parent, at, message={"role": "user", "content": text}) | fields


def calls(uuid: str, parent: str | None, at: int, call: str, tool: str = "Task", **fields: Any) -> dict[str, Any]:
    content = [{"type": "tool_use", "id": call, "name": tool, "input": {"prompt": "look"}}]
    usage = {"input_tokens": 10, "output_tokens": 5}
    message = {"id": f"msg_{uuid}", "role": "assistant", "model": "claude-opus-4-5", "content": content, "usage": usage}
    return line("assistant", uuid, parent, at, message=message, requestId=f"req_{uuid}") | fields


def answers(uuid: str, parent: str, at: int, call: str, text: str = "done", **fields: Any) -> dict[str, Any]:
    content = [{"type": "tool_result", "tool_use_id": call, "content": text}]
    return line("user", uuid, parent, at, message={"role": "user", "content": content}) | fields


MAIN = [
    said("m1", None, 1, "Plant a garden"),
    calls("m2", "m1", 2, "toolu_1"),
    answers("m3", "m2", 6, "toolu_1", toolUseResult={"status": "completed", "agentId": "a1"}),
    calls("m4", "m3", 7, "toolu_2"),
    line("progress", "m5", "m4", 8, data={"type": "agent_progress", "agentId": "a2"}, parentToolUseID="toolu_2"),
    calls("m6", "m5", 9, "toolu_3", "Bash"),
    answers(
        "m7", "m6", 10, "toolu_3", "the beginning", toolUseResult={"persistedOutputPath": f"/x/{SESSION}/spilled.txt"}
    ),
    line("system", "m8", None, 11, subtype="compact_boundary", logicalParentUuid="m7"),
    said("m9", "m8", 12, "This session is being continued", isCompactSummary=True),
    calls("m10", "m9", 13, "toolu_4"),
    {
        "type": "queue-operation",
        "operation": "enqueue",
        "timestamp": "2026-01-01T00:14:00.000Z",
        "sessionId": SESSION,
        "content": "<task-notification>\n<task-id>a3</task-id>\n<tool-use-id>toolu_4</tool-use-id>\n"
        "<status>completed</status></task-notification>",
    },
    line("attachment", "m11", "m10", 15, attachment={"type": "queued_command", "prompt": "and roses"}),
]
A1 = [
    said("s1", None, 3, "look", isSidechain=True, agentId="a1"),
    calls("s2", "s1", 4, "toolu_n", isSidechain=True, agentId="a1"),
]
NESTED = [
    said("n1", None, 4, "look deeper", isSidechain=True, agentId="n1"),
    calls("n2", "n1", 5, "toolu_x", "Read", isSidechain=True, agentId="n1"),
]
A2 = [said("f1", "nowhere", 8, "look flat", isSidechain=True, agentId="a2")]
A3 = [said("q1", None, 13, "look later", isSidechain=True, agentId="a3")]
ELSEWHERE = [
    {"type": "summary", "summary": "A garden of roses", "leafUuid": "m3"},
    {"type": "summary", "summary": "Nothing that is known", "leafUuid": "unknown"},
    said("o1", None, 30, "Something else") | {"sessionId": OTHER},
]


def lines(*some: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(each, ensure_ascii=False).encode() + b"\n" for each in some)


FILES: Mapping[str, bytes] = {
    f"p/{SESSION}.jsonl": lines(*MAIN),
    f"p/{OTHER}.jsonl": lines(*ELSEWHERE),
    "p/agent-a2.jsonl": lines(*A2),
    f"p/{SESSION}/subagents/agent-a1.jsonl": lines(*A1),
    f"p/{SESSION}/subagents/agent-a3.jsonl": lines(*A3),
    f"p/{SESSION}/subagents/agent-n1.jsonl": lines(*NESTED),
    f"p/{SESSION}/subagents/agent-a1.meta.json": json.dumps(
        {"agentType": "Explore", "description": f"Look with {SECRET}", "toolUseId": "toolu_1"}, indent=2
    ).encode(),
    f"p/{SESSION}/subagents/agent-n1.meta.json": json.dumps(
        {"agentType": "Plan", "description": "Deeper", "toolUseId": "toolu_n", "parentAgentId": "a1", "spawnDepth": 2}
    ).encode(),
    f"p/{SESSION}/tool-results/spilled.txt": f"all of it\nexport TOKEN={SECRET}\nthe end".encode(),
}


async def store(storage: Storage, names: Sequence[str], files: Mapping[str, bytes] = FILES) -> None:
    """Store some files, one after the other, as a source would; behind a # stands the number of a later stream."""
    for name in names:
        path = name.partition("#")[0]
        where = place(PurePosixPath(path).parts)
        assert where is not None
        format_ = "claude" if where.kind == "transcript" else "claude-attachment"
        conversation = SESSION if where.guessed else where.conversation
        stream = Stream(f"{ROOT}/{name}", format_, f"{ROOT}/{path}", conversation, where.agent, where.kind)
        records, offset = [], 0
        bodies = files[name].splitlines(keepends=True) if where.kind == "transcript" else [files[name]]
        for body in bodies:
            records.append(Record(offset, body))
            offset += len(body)
        parsed = [entry for record in records for entry in PARSERS[format_].parse(stream, record)]
        await storage.append("claude", Batch(stream, records, Checkpoint(offset)), parsed)
