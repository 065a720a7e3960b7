"""What lines tell of subagents, of summaries, of compactions and of queued prompts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ccod import Entry, Record, Spawn, Stream, Unparsed
from ccod_claude.attachments import AttachmentParser
from ccod_claude.parser import ClaudeParser
from tests.plugins.claude.test_claude_families import CHAIN, parsed

META = Stream("k", "claude-attachment", "/p/s/subagents/agent-a1.meta.json", "s", "a1", "attachment")
NOTICE = (
    "<task-notification>\n<task-id>a1</task-id>\n<tool-use-id>toolu_1</tool-use-id>\n"
    "<output-file>/x</output-file>\n<status>completed</status>\n</task-notification>"
)


def result(outcome: Any, *calls: str) -> dict[str, Any]:
    parts = [{"type": "tool_result", "tool_use_id": call, "content": "x"} for call in calls]
    return CHAIN | {"type": "user", "message": {"role": "user", "content": parts}, "toolUseResult": outcome}


@pytest.mark.parametrize(
    ("line", "spawns"),
    [
        (result({"status": "async_launched", "agentId": "a1"}, "t1"), [Spawn("a1", "t1", 3)]),
        (result({"agentId": "a1"}, "t1", "t2"), []),
        (result({"agentId": ""}, "t1"), []),
        (result({"agentId": 7}, "t1"), []),
        (result("Error: no agent", "t1"), []),
        (
            CHAIN | {"type": "progress", "data": {"type": "agent_progress", "agentId": "a1"}, "parentToolUseID": "t1"},
            [Spawn("a1", "t1", 2)],
        ),
        (CHAIN | {"type": "progress", "data": {"type": "agent_progress", "agentId": "a1"}}, []),
        ({"type": "queue-operation", "operation": "enqueue", "content": NOTICE}, [Spawn("a1", "toolu_1", 1)]),
        ({"type": "queue-operation", "operation": "enqueue", "content": "water the roses"}, []),
        ({"type": "queue-operation", "operation": "enqueue", "content": [{"type": "text", "text": NOTICE}]}, []),
        ({"type": "queue-operation", "operation": "dequeue"}, []),
    ],
)
def test_what_lines_tell_of_subagents(line: dict[str, Any], spawns: list[Spawn]) -> None:
    assert list(parsed(line).spawns) == spawns


def described(body: bytes) -> Entry | Unparsed:
    (item,) = AttachmentParser().parse(META, Record(0, body))
    assert (item.offset, item.length) == (0, len(body))
    return item


def test_what_a_subagent_was_started_for() -> None:
    told = {
        "agentType": "Explore",
        "description": "Look around",
        "toolUseId": "t1",
        "parentAgentId": "a0",
        "spawnDepth": 2,
    }
    entry = described(json.dumps(told, indent=2).encode())
    assert isinstance(entry, Entry)
    assert (entry.type, entry.role, entry.uuid) == ("subagent", None, None)
    assert entry.spawns == (Spawn("a1", "t1", 4, "Explore", "Look around", "a0", 2),)


@pytest.mark.parametrize("told", [{}, {"agentType": 1, "toolUseId": None, "spawnDepth": -1, "description": []}])
def test_a_description_that_says_nothing(told: dict[str, Any]) -> None:
    entry = described(json.dumps(told).encode())
    assert isinstance(entry, Entry)
    assert entry.spawns == (Spawn("a1", rank=4),)


@pytest.mark.parametrize(("stated", "depth"), [(0, 0), (2**31 - 1, 2**31 - 1), (2**31, None), (1.5, None)])
def test_how_deep_a_subagent_is(stated: float, depth: int | None) -> None:
    entry = described(json.dumps({"spawnDepth": stated}).encode())
    assert isinstance(entry, Entry)
    assert [spawn.depth for spawn in entry.spawns] == [depth]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff\xfe", b"[" * 100_000, b'{"agentType": "Ex'])
def test_a_description_that_cannot_be_read(body: bytes) -> None:
    assert described(body) == Unparsed(0, len(body), "malformed")


def test_other_files_beside_a_transcript_hold_no_record() -> None:
    output = Stream("k", "claude-attachment", "/p/s/tool-results/t1.txt", "s", kind="attachment")
    assert list(AttachmentParser().parse(output, Record(0, b'{"agentType":"Explore"}'))) == []


def test_a_compaction_says_what_it_goes_on_from() -> None:
    line = CHAIN | {"type": "system", "subtype": "compact_boundary", "parentUuid": None, "logicalParentUuid": "u1"}
    entry = parsed(line)
    assert (entry.parent, entry.logical_parent) == (None, "u1")


def queued(prompt: Any, **fields: Any) -> dict[str, Any]:
    return CHAIN | {"type": "attachment", "attachment": {"type": "queued_command", "prompt": prompt} | fields}


def test_a_queued_prompt_is_a_message_and_a_user_line_can_repeat_it() -> None:
    source = {"type": "base64", "media_type": "image/png", "data": "AAECAw=="}
    line = queued([{"type": "text", "text": "and roses"}, {"type": "image", "source": source}], commandMode="prompt")
    entry = parsed(line)
    assert (entry.role, entry.meta) == ("user", False)
    content = ClaudeParser().content(json.dumps(line).encode())
    assert content.text == "and roses"
    assert (content.blocks[1].type, content.blocks[1].media_type, content.blocks[1].size) == ("image", "image/png", 4)
    said = CHAIN | {"type": "user", "message": {"role": "user", "content": "and roses"}}
    assert parsed(said | {"promptSource": "queued"}).queued == entry.queued is not None
    assert parsed(said).queued is None
    assert parsed(queued("other roses")).queued not in {None, entry.queued}


def test_what_a_program_queued_was_not_typed() -> None:
    entry = parsed(queued("look at this", commandMode="task-notification"))
    assert (entry.role, entry.meta, entry.title) == ("user", True, None)


@pytest.mark.parametrize("prompt", [None, 7, {}, [7], [{"type": "text", "text": 7}]])
def test_a_queued_prompt_without_words(prompt: Any) -> None:
    entry = parsed(queued(prompt))
    assert (entry.role, entry.queued, entry.title) == ("user", None, None)
    assert ClaudeParser().content(json.dumps(queued(prompt)).encode()).text == ""


def test_where_the_whole_output_stands() -> None:
    (block,) = ClaudeParser().content(json.dumps(result({"persistedOutputPath": "/x/t1.txt"}, "t1")).encode()).blocks
    assert block.output_path == "/x/t1.txt"
    others: list[Any] = [{"persistedOutputPath": 7}, "Error: x", [], None]
    for outcome in others:
        (block,) = ClaudeParser().content(json.dumps(result(outcome, "t1")).encode()).blocks
        assert block.output_path is None
    of_two = (
        ClaudeParser().content(json.dumps(result({"persistedOutputPath": "/x/t1.txt"}, "t1", "t2")).encode()).blocks
    )
    assert [block.output_path for block in of_two] == [None, None], "of which of them is not said"
