"""Lines of every family, and what they mean."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from ccod import Entry, Record, Response, Stream, Title, ToolResult, ToolUse, Unparsed, Usage
from ccod_claude.parser import ClaudeParser

STREAM = Stream("/p/s.jsonl", "claude", "/p/s.jsonl", "s")
AGENT = Stream("/p/agent-a.jsonl", "claude", "/p/agent-a.jsonl", "s", agent="a")
CHAIN = {
    "parentUuid": "u0",
    "isSidechain": False,
    "userType": "external",
    "cwd": "/home/me/code",
    "sessionId": "s1",
    "version": "2.1.235",
    "gitBranch": "main",
    "uuid": "u1",
    "timestamp": "2026-01-25T10:47:16.350Z",
}
AT = 1769338036350
GLUED = "glued to another record"
WRONG = "fields of a wrong type or size"


def parse(line: bytes, stream: Stream = STREAM, offset: int = 0) -> list[Entry | Unparsed]:
    return list(ClaudeParser().parse(stream, Record(offset, line)))


def entry(fields: Any, stream: Stream = STREAM) -> Entry:
    (found,) = parse(json.dumps(fields).encode() + b"\n", stream)
    assert isinstance(found, Entry)
    return found


def user(content: Any, **more: Any) -> dict[str, Any]:
    return CHAIN | {"type": "user", "message": {"role": "user", "content": content}} | more


def assistant(content: Any, usage: Any = None, **more: Any) -> dict[str, Any]:
    message = {"id": "msg_1", "role": "assistant", "model": "claude-opus-5", "content": content, "usage": usage}
    return CHAIN | {"type": "assistant", "requestId": "req_1", "message": message} | more


def usage_of(tokens: Any) -> Usage:
    response = entry(assistant([], tokens)).response
    assert response is not None
    return response.usage


def test_a_prompt() -> None:
    line = json.dumps(user("Mend the roof")).encode()
    (found,) = parse(line + b"\n", offset=70)
    assert found == Entry(
        offset=70,
        length=len(line),
        type="user",
        uuid="u1",
        parent="u0",
        at=AT,
        session="s1",
        version="2.1.235",
        cwd="/home/me/code",
        branch="main",
        role="user",
        title=Title("Mend the roof"),
    )


def test_a_response() -> None:
    tokens = {
        "input_tokens": 3,
        "output_tokens": 5,
        "cache_creation_input_tokens": 30,
        "cache_read_input_tokens": 11,
        "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20},
        "server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 9},
        "service_tier": "standard",
        "speed": "fast",
        "inference_geo": "us",
        "iterations": [{"input_tokens": 3}],
    }
    blocks = [
        {"type": "thinking", "thinking": "…", "signature": "x"},
        {"type": "text", "text": "Done"},
        {"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": "ls"}},
        {"type": "server_tool_use", "id": "t2", "name": "web_search", "input": {}},
        {"type": "web_search_tool_result", "tool_use_id": "t2", "content": []},
        {"type": "something new", "id": "n"},
    ]
    found = entry(assistant(blocks, tokens))
    usage = Usage(3, 5, 10, 20, 11, 2)
    assert found.response == Response("msg_1", "req_1", "claude-opus-5", usage, "standard", "fast", "us")
    assert found.tool_uses == [ToolUse("t1", "Bash"), ToolUse("t2", "web_search")]
    assert found.tool_results == [ToolResult("t2")]
    assert (found.role, found.error, found.title) == ("assistant", False, None)


@pytest.mark.parametrize(
    ("flat", "split", "expected"),
    [(100, None, (100, 0)), (0, (7, 9), (7, 9)), (16, (7, 9), (7, 9)), (20, (7, 9), (11, 9)), (5, (7, 9), (7, 9))],
)
def test_cache_creation_is_the_larger_of_both(flat: int, split: Any, expected: tuple[int, int]) -> None:
    tokens: dict[str, Any] = {"cache_creation_input_tokens": flat}
    if split:
        tokens["cache_creation"] = {"ephemeral_5m_input_tokens": split[0], "ephemeral_1h_input_tokens": split[1]}
    usage = usage_of(tokens)
    assert (usage.cache_creation_5m_tokens, usage.cache_creation_1h_tokens) == expected


@pytest.mark.parametrize("garbage", [-1, 1.5, "7", None, [], 10**18, 10**30, 2**40 + 1, True])
def test_garbage_counts_as_none_and_spoils_nothing_else(garbage: Any) -> None:
    assert usage_of({"input_tokens": garbage, "output_tokens": 5}) == Usage(output_tokens=5)


def test_the_largest_count() -> None:
    assert usage_of({"input_tokens": 2**40}) == Usage(input_tokens=2**40)


def test_a_response_without_ids() -> None:
    fields = assistant("said", None)
    del fields["requestId"], fields["message"]["id"]
    response = entry(fields).response
    assert response is not None
    assert (response.message_id, response.request_id, response.usage) == ("u1", "", Usage())
    del fields["uuid"]
    nameless = [
        found.response for found in parse(b"%s\n" % json.dumps(fields).encode(), offset=9) if isinstance(found, Entry)
    ]
    assert nameless[0] is not None
    assert nameless[0].message_id == "/p/s.jsonl:9"


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"isApiErrorMessage": True}, True),
        ({"isApiErrorMessage": False}, False),
        ({"error": "rate_limit"}, True),
        ({"error": {"status": 500}}, True),
        ({"error": None}, False),
        ({"error": ""}, False),
    ],
)
def test_failed_responses(more: dict[str, Any], error: bool) -> None:
    assert entry(assistant([], **more)).error is error


@pytest.mark.parametrize(
    ("result", "duration"),
    [
        ({"durationMs": 12}, 12),
        ({"totalDurationMs": 34, "durationMs": 12, "content": "…"}, 34),
        ({"durationSeconds": 1.2345}, 1234),
        ({"durationMs": -1}, None),
        ({"durationMs": 1e300}, None),
        ({"durationMs": "soon"}, None),
        ({"stdout": "durationMs"}, None),
        ("Error: durationMs", None),
        ([{"durationMs": 1}], None),
        (None, None),
    ],
)
def test_results_and_how_long_they_took(result: Any, duration: int | None) -> None:
    blocks = [{"type": "tool_result", "tool_use_id": "t1", "content": "x", "is_error": True}]
    found = entry(user(blocks, toolUseResult=result))
    assert found.tool_results == [ToolResult("t1", is_error=True, duration_ms=duration)]
    assert found.title is None


def test_several_results_share_no_duration() -> None:
    blocks = [{"type": "tool_result", "tool_use_id": name} for name in ("t1", "t2")]
    found = entry(user(blocks, toolUseResult={"durationMs": 5}))
    assert found.tool_results == [ToolResult("t1"), ToolResult("t2")]


@pytest.mark.parametrize(
    ("fields", "subtype"),
    [
        ({"type": "system", "subtype": "turn_duration", "durationMs": 5}, "turn_duration"),
        ({"type": "system", "subtype": "api_error", "error": {"status": 529}, "retryInMs": 1.5}, "api_error"),
        ({"type": "progress", "data": {"type": "bash_progress", "output": ""}}, "bash_progress"),
        ({"type": "attachment", "attachment": {"type": "hook_success"}}, "hook_success"),
        ({"type": "agent-setting", "agentSetting": "x"}, ""),
        ({"type": "tag", "tag": "x"}, ""),
        ({"type": "last-prompt", "lastPrompt": "x"}, ""),
        ({"type": "mode", "mode": "x"}, ""),
        ({"type": "permission-mode", "permissionMode": "plan"}, ""),
        ({"type": "pr-link", "prNumber": 4}, ""),
        ({"type": "queue-operation", "operation": "enqueue", "content": ["x"]}, ""),
        ({"type": "file-history-snapshot", "snapshot": {}}, ""),
        ({"type": "file-history-delta", "backup": {}}, ""),
        ({"type": "bridge-session"}, ""),
        ({"type": "atis-latch", "atis": True}, ""),
    ],
)
def test_lines_that_are_no_messages(fields: dict[str, Any], subtype: str) -> None:
    found = entry(CHAIN | fields)
    assert (found.type, found.subtype, found.known) == (fields["type"], subtype, True)
    assert (found.role, found.response, found.error, found.title) == (None, None, False, None)


def test_an_agents_progress_is_not_the_sessions_message() -> None:
    inner = assistant([{"type": "tool_use", "id": "t", "name": "Bash"}], {"output_tokens": 9})
    found = entry(CHAIN | {"type": "progress", "data": {"type": "agent_progress", "message": inner}})
    assert (found.role, found.response, found.tool_uses) == (None, None, ())


@pytest.mark.parametrize("kind", ["tomorrow", "", None, 7])
def test_types_never_heard_of(kind: Any) -> None:
    found = entry(CHAIN | {"type": kind, "message": {"content": "x"}})
    assert (found.known, found.role, found.uuid) == (False, None, "u1")


@pytest.mark.parametrize(
    ("fields", "title"),
    [
        ({"type": "custom-title", "customTitle": "A"}, Title("A", 50)),
        ({"type": "agent-name", "agentName": "B"}, Title("B", 40)),
        ({"type": "ai-title", "aiTitle": "C"}, Title("C", 30)),
        ({"type": "summary", "summary": " D\n d ", "leafUuid": "x"}, Title("D d", 20, "x")),
        ({"type": "summary", "summary": " "}, None),
        (user([{"type": "text", "text": "first\nof all"}, {"type": "image"}]), Title("first of all")),
        (user([{"type": "text", "text": "<ide_opened_file>x"}, {"type": "text", "text": "then"}]), Title("then")),
        (user("x" * 300), Title("x" * 200)),
        (user("\ud83d alone"), Title("\ufffd alone")),
        (user([{"type": "text", "text": "\ud83d alone"}]), Title("\ufffd alone")),
        (user("x", isMeta=True), None),
        (user("x", isCompactSummary=True), None),
        (user("x", isSidechain=True), None),
        (user("<command-name>/clear</command-name>"), None),
        (user("<local-command-stdout>x"), None),
        (user("<bash-input>ls"), None),
        (user("<task-notification>x"), None),
        (user(" <system-reminder>x"), None),
        (user("<b>typed</b>"), Title("<b>typed</b>")),
        (user("Caveat: the messages below"), None),
        (user([{"type": "text", "text": "[Request interrupted by user]"}]), None),
        ({"type": "attachment", "attachment": {"type": "queued_command", "prompt": "go on"}}, Title("go on")),
        (
            {
                "type": "attachment",
                "attachment": {"type": "queued_command", "prompt": [{"type": "text", "text": "go"}]},
            },
            Title("go"),
        ),
        ({"type": "attachment", "attachment": {"type": "file", "prompt": "no"}}, None),
    ],
)
def test_titles(fields: dict[str, Any], title: Title | None) -> None:
    assert entry(fields).title == title
    assert entry(fields, AGENT).title is None


@pytest.mark.parametrize(
    ("written", "at"),
    [
        ("2026-01-25T10:47:16.350Z", AT),
        ("2026-01-25T10:47:16.350", AT),
        ("2026-01-25T12:47:16.350+02:00", AT),
        ("2026-01-25T10:47:16.350999Z", AT),
        (AT, AT),
        (AT / 1000, AT),
        (1769338036, 1769338036000),
        ("1970-01-01T00:00:00Z", 0),
        ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
        ("1969-12-31T23:59:59.999Z", None),
        ("0001-01-01T00:00:00Z", None),
        ("9999-12-31T23:59:59-01:00", None),
        ("2026-01-25T10:47:60Z", None),
        ("2026-01-25T10:47:16+25:00", None),
        ("10000-01-01T00:00:00Z", None),
        ("soon", None),
        ("", None),
        (None, None),
        (-5, None),
        (10**40, None),
        (True, None),
        ({}, None),
    ],
)
def test_times(written: Any, at: int | None) -> None:
    assert entry(CHAIN | {"type": "user", "timestamp": written}).at == at


def test_times_agree_with_the_calendar() -> None:
    for year in (1970, 1999, 2000, 2024, 2038, 2100, 9999):
        moment = datetime(year, 2, 28, 23, 59, 59, 123000, tzinfo=UTC)
        found = entry({"type": "user", "timestamp": moment.isoformat()})
        assert found.at == int(moment.timestamp()) * 1000 + 123


def test_fields_of_wrong_types_count_as_absent() -> None:
    wrong = {"uuid": 5, "parentUuid": [], "cwd": {}, "version": 2, "isMeta": "yes", "isSidechain": 1, "subtype": 0}
    found = entry(assistant([3, {"type": "tool_use", "id": "t", "name": 5}, "x"], {"input_tokens": 4}) | wrong)
    assert (found.uuid, found.parent, found.cwd, found.version) == (None, None, None, None)
    assert (found.meta, found.sidechain, found.subtype) == (False, False, "")
    assert found.tool_uses == [ToolUse("t", "")]
    assert found.response is not None
    assert found.response.usage == Usage(input_tokens=4)


@pytest.mark.parametrize("message", [None, "text", 5, [], True])
def test_no_message_without_an_object(message: Any) -> None:
    assert entry(CHAIN | {"type": "user", "message": message}).role is None


def test_a_message_without_uuid_is_one() -> None:
    found = entry({"type": "user", "message": {"content": None}})
    assert (found.role, found.uuid) == ("user", None)


@pytest.mark.parametrize(
    ("line", "mended"),
    [
        (json.dumps(user("ünïcode 😀")).encode(), [""]),
        (json.dumps(user("ünïcode 😀"), ensure_ascii=False).encode(), [""]),
        (b'{"type":"user","text":"\\\\ud83d"}', [""]),
        (b'{"type":"user","text":"\\ud83d"}', ["lone surrogates"]),
        (b'{"type":"user","cwd":"\\ud83d"}', ["lone surrogates"]),
        (b'{"type":"user","text":"\xff"}', ["invalid UTF-8"]),
        (b'{"type":"user","cwd":"\xff"}', ["invalid UTF-8"]),
        (b'{"type":"user","text":"\xff\\ud83d"}', ["lone surrogates, invalid UTF-8"]),
        (b'{"type":"mode"}{"type":"tag"}{"type":"tag","tag":"\xff"}', ["", GLUED, GLUED + ", invalid UTF-8"]),
        (b'{"type":"user","message":{"usage":{"input_tokens":99999999999999999999}}}', [WRONG]),
        (b'{"type":"user","cwd":5}', [WRONG]),
        (b'  {"type":"user"}', [""]),
    ],
)
def test_what_was_mended_is_told_in_a_few_words(line: bytes, mended: list[str]) -> None:
    assert [found.mended for found in parse(line + b"\n") if isinstance(found, Entry)] == mended
