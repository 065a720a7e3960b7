"""Every family of lines that Claude Code writes, by example: its type, its subtype, and what it is to others."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ccod import Entry, Record, Stream
from ccod_claude.parser import ClaudeParser

STREAM = Stream("k", "claude", "/f", "6a1f4d4e-0b7e-4d57-9c1d-2f60f5f5a001")
CHAIN: dict[str, Any] = {
    "uuid": "00000000-0000-4000-8000-000000000002",
    "parentUuid": "00000000-0000-4000-8000-000000000001",
    "timestamp": "2026-01-01T00:00:00.000Z",
    "sessionId": STREAM.conversation,
    "version": "2.1.237",
    "cwd": "/home/me/garden",
    "userType": "external",
    "isSidechain": False,
}

SYSTEM: dict[str, dict[str, Any]] = {
    "turn_duration": {"durationMs": 1200, "messageCount": 4},
    "stop_hook_summary": {"hookCount": 1, "hookInfos": [{"command": "x"}], "preventedContinuation": False},
    "compact_boundary": {
        "parentUuid": None,
        "logicalParentUuid": CHAIN["parentUuid"],
        "content": "Conversation compacted",
        "compactMetadata": {"trigger": "auto", "preTokens": 1000},
    },
    "microcompact_boundary": {"microcompactMetadata": {"trigger": "auto", "tokensSaved": 5}},
    "api_error": {"level": "error", "error": {"status": 529}, "retryInMs": 517.3, "retryAttempt": 1, "maxRetries": 10},
    "local_command": {"content": "<local-command-stdout>x</local-command-stdout>"},
    "away_summary": {"content": "x"},
    "informational": {"content": "x"},
    "scheduled_task_fire": {"content": "x"},
    "": {"content": "x", "level": "info"},
}
PROGRESS: dict[str, dict[str, Any]] = {
    "bash_progress": {"output": "x", "elapsedTimeSeconds": 3, "totalLines": 1},
    "agent_progress": {
        "agentId": "a1",
        "prompt": "look",
        "message": {
            "type": "assistant",
            "message": {"id": "msg_1", "role": "assistant", "usage": {"output_tokens": 9}},
        },
    },
    "hook_progress": {"hookEvent": "Stop", "hookName": "x", "command": "x"},
    "mcp_progress": {"status": "started", "serverName": "x", "toolName": "y"},
    "query_update": {"query": "x"},
    "search_results_received": {"resultCount": 1},
    "waiting_for_task": {"taskDescription": "x"},
}
ATTACHMENTS = [
    *("hook_success", "hook_additional_context", "hook_blocking_error", "hook_non_blocking_error"),
    *("hook_system_message", "deferred_tools_delta", "agent_listing_delta", "mcp_instructions_delta"),
    *("skill_listing", "task_reminder", "total_tokens_reminder", "nested_memory", "file", "compact_file_reference"),
    *("selected_lines_in_ide", "plan_mode", "auto_mode", "command_permissions", "structured_output"),
    *("read_truncation_notice", "queued_command"),
]
STATES: dict[str, dict[str, Any]] = {
    "summary": {"summary": "A garden", "leafUuid": CHAIN["uuid"]},
    "custom-title": {"customTitle": "A garden"},
    "ai-title": {"aiTitle": "A garden"},
    "agent-name": {"agentName": "gardener"},
    "agent-setting": {"agentSetting": "x"},
    "tag": {"tag": "x"},
    "last-prompt": {"lastPrompt": "x", "leafUuid": CHAIN["uuid"]},
    "mode": {"mode": "plan"},
    "permission-mode": {"permissionMode": "acceptEdits"},
    "pr-link": {"prNumber": 1, "prUrl": "https://example.org/1", "timestamp": "2026-01-01T00:00:00.000Z"},
    "bridge-session": {"bridgeSessionId": "x", "lastSequenceNum": 1},
    "atis-latch": {"atis": True},
    "queue-operation": {"operation": "enqueue", "content": "x", "timestamp": "2026-01-01T00:00:00.000Z"},
    "file-history-snapshot": {"messageId": "m", "snapshot": {"trackedFileBackups": {}}, "isSnapshotUpdate": False},
    "file-history-delta": {"messageId": "m", "snapshotMessageId": "n", "trackingPath": "x", "backup": {}},
}


def parsed(line: dict[str, Any]) -> Entry:
    (entry,) = ClaudeParser().parse(STREAM, Record(0, json.dumps(line).encode() + b"\n"))
    assert isinstance(entry, Entry)
    return entry


def _is_in_chain(entry: Entry) -> bool:
    return (entry.uuid, entry.version, entry.at) == (CHAIN["uuid"], CHAIN["version"], 1767225600000)


@pytest.mark.parametrize("subtype", SYSTEM)
def test_system(subtype: str) -> None:
    given = {"subtype": subtype} if subtype else {}
    entry = parsed(CHAIN | {"type": "system"} | given | SYSTEM[subtype])
    assert (entry.type, entry.subtype, entry.known, entry.role) == ("system", subtype, True, None)
    assert _is_in_chain(entry)
    assert not entry.error  # a retry is no failed response


@pytest.mark.parametrize("subtype", PROGRESS)
def test_progress_keeps_its_place_in_the_tree_and_nothing_else(subtype: str) -> None:
    entry = parsed(CHAIN | {"type": "progress", "data": {"type": subtype} | PROGRESS[subtype]})
    assert (entry.type, entry.subtype, entry.known, entry.role) == ("progress", subtype, True, None)
    assert _is_in_chain(entry)
    assert entry.parent == CHAIN["parentUuid"]
    assert (entry.response, entry.tool_uses, entry.tool_results, entry.title) == (None, (), (), None)


@pytest.mark.parametrize("subtype", ATTACHMENTS)
def test_attachments(subtype: str) -> None:
    entry = parsed(CHAIN | {"type": "attachment", "attachment": {"type": subtype, "prompt": "go on"}})
    assert (entry.type, entry.subtype, entry.known) == ("attachment", subtype, True)
    assert _is_in_chain(entry)
    assert (entry.title is not None) == (subtype == "queued_command")


@pytest.mark.parametrize(
    "line",
    [{"type": "system", "subtype": "new"}, {"type": "progress", "data": {"type": "new"}}],
    ids=lambda x: x["type"],
)
def test_a_subtype_that_was_never_heard_of(line: dict[str, Any]) -> None:
    entry = parsed(CHAIN | line)
    assert (entry.subtype, entry.known, entry.uuid) == ("new", False, CHAIN["uuid"])
    assert not parsed(CHAIN | {"type": "attachment", "attachment": {"type": "new"}}).known


@pytest.mark.parametrize("kind", STATES)
def test_states(kind: str) -> None:
    entry = parsed({"type": kind, "sessionId": STREAM.conversation} | STATES[kind])
    assert (entry.type, entry.known, entry.role, entry.uuid) == (kind, True, None, None)
    assert (entry.at is not None) == ("timestamp" in STATES[kind])


def test_the_summary_after_a_compaction_is_no_typed_prompt() -> None:
    message = {"role": "user", "content": "This session is being continued"}
    marks = {"isCompactSummary": True, "isVisibleInTranscriptOnly": True}
    entry = parsed(CHAIN | {"type": "user", "message": message} | marks)
    assert (entry.role, entry.subtype, entry.title) == ("user", "compact_summary", None)


def test_a_sidechain_in_the_main_file() -> None:
    message = {"role": "user", "content": "look around"}
    entry = parsed(CHAIN | {"type": "user", "message": message, "isSidechain": True, "agentId": "a1"})
    assert (entry.role, entry.sidechain, entry.title) == ("user", True, None)


def test_images_and_documents_are_shown_by_their_metadata() -> None:
    source = {"type": "base64", "media_type": "image/png", "data": "AAECAw=="}
    parts = [{"type": "image", "source": source}, {"type": "document", "source": source | {"media_type": "a/pdf"}}]
    body = json.dumps(CHAIN | {"type": "user", "message": {"role": "user", "content": parts}}).encode()
    image, document = ClaudeParser().content(body).blocks
    assert (image.type, image.media_type, image.size) == ("image", "image/png", 4)
    assert (document.type, document.media_type, document.size) == ("document", "a/pdf", 4)


def test_what_is_unknown_keeps_its_name() -> None:
    entry = parsed(CHAIN | {"type": "novelty", "subtype": "x"})
    assert (entry.type, entry.subtype, entry.known, entry.uuid) == ("novelty", "x", False, CHAIN["uuid"])
