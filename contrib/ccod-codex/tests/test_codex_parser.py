"""What each kind of line means. The lines are made up, in the shapes of openai/codex's `RolloutItem`."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ccod import Block, Entry, Record, Stream, Title, ToolResult, ToolUse, Unparsed, Usage
from ccod_codex.parser import CodexParser

THREAD = "019a2d7a-41c4-78b1-b7cc-a45d62a89cd5"
STREAM = Stream("key", "codex", "/sessions/rollout.jsonl", THREAD)
PARSER = CodexParser()


def line(kind: str, **payload: Any) -> bytes:
    stamped = {"timestamp": "2025-10-29T00:59:38.317Z", "type": kind, "payload": payload}
    return json.dumps(stamped).encode() + b"\n"


def item(kind: str, **payload: Any) -> bytes:
    return line("response_item", type=kind, **payload)


def event(kind: str, **payload: Any) -> bytes:
    return line("event_msg", type=kind, **payload)


def message(role: str, text: str) -> bytes:
    part = "output_text" if role == "assistant" else "input_text"
    return item("message", role=role, content=[{"type": part, "text": text}])


def counts(*numbers: int) -> dict[str, int]:
    names = ("input_tokens", "cached_input_tokens", "output_tokens", "reasoning_output_tokens", "total_tokens")
    return dict(zip(names, (*numbers, numbers[0] + numbers[2]), strict=True))


def token_count(total: dict[str, int], last: dict[str, int]) -> bytes:
    return event("token_count", info={"total_token_usage": total, "last_token_usage": last}, rate_limits=None)


def parsed(body: bytes) -> list[Entry | Unparsed]:
    return list(PARSER.parse(STREAM, Record(100, body)))


def entry(body: bytes) -> Entry:
    (found,) = parsed(body)
    assert isinstance(found, Entry)
    assert found.known
    return found


def test_a_session_says_where_it_runs() -> None:
    git = {"branch": "main", "commit_hash": "abc"}
    found = entry(line("session_meta", id=THREAD, cwd="/home/ada/house", cli_version="0.46.0", git=git))
    assert (found.session, found.cwd, found.version, found.branch) == (THREAD, "/home/ada/house", "0.46.0", "main")
    assert (found.type, found.subtype, found.at, found.role) == ("session_meta", "", 1761699578317, None)
    parents = entry(line("session_meta", id="another", cwd="/elsewhere", cli_version="0.1", git=git))
    assert (parents.session, parents.cwd, parents.version, parents.branch) == (None, None, None, None)


def test_a_turn_names_the_model_and_the_folder() -> None:
    found = entry(line("turn_context", model="gpt-5-codex", cwd="/home/ada/house/wing", approval_policy="never"))
    assert (found.model, found.cwd, found.role) == ("gpt-5-codex", "/home/ada/house/wing", None)


@pytest.mark.parametrize(
    ("body", "role", "meta", "text"),
    [
        (message("user", "hello"), "user", False, "hello"),
        (message("assistant", "hi"), "assistant", False, "hi"),
        (message("user", "<environment_context>…</environment_context>"), "user", True, None),
        (message("developer", "rules"), None, False, "rules"),
        (line("compacted", message="so far"), "user", True, "so far"),
        (line("compacted", message="", replacement_history=[]), None, False, ""),
        (event("agent_message", message="hi"), None, False, "hi"),
    ],
)
def test_messages(body: bytes, role: str | None, meta: bool, text: str | None) -> None:
    found = entry(body)
    assert (found.role, found.meta) == (role, meta)
    assert text is None or PARSER.content(body).text == text


def test_reasoning_is_a_message_where_it_says_anything() -> None:
    summary = [{"type": "summary_text", "text": "**Thinking**"}]
    body = item("reasoning", summary=summary, encrypted_content="gAAAA")
    assert entry(body).role == "assistant"
    assert PARSER.content(body).blocks == [Block("thinking", text="**Thinking**")]
    assert entry(item("reasoning", summary=[], encrypted_content="gAAAA")).role is None


@pytest.mark.parametrize(
    ("body", "use", "given"),
    [
        (
            item("function_call", name="shell", arguments='{"command":["ls"]}', call_id="c"),
            ToolUse("c", "shell"),
            {"command": ["ls"]},
        ),
        (item("function_call", name="f", arguments="not JSON", call_id="c"), ToolUse("c", "f"), "not JSON"),
        (
            item("custom_tool_call", name="apply_patch", input="*** Begin Patch", call_id="c", status="completed"),
            ToolUse("c", "apply_patch"),
            "*** Begin Patch",
        ),
        (
            item("local_shell_call", call_id="c", action={"type": "exec", "command": ["ls"]}, status="completed"),
            ToolUse("c", "local_shell"),
            {"type": "exec", "command": ["ls"]},
        ),
    ],
)
def test_tool_calls(body: bytes, use: ToolUse, given: Any) -> None:
    found = entry(body)
    assert (found.role, list(found.tool_uses), list(found.tool_results)) == ("assistant", [use], [])
    assert PARSER.content(body).blocks == [Block("toolUse", id="c", name=use.name, input=given)]


def test_what_the_api_does_by_itself_is_answered_at_once() -> None:
    found = entry(item("web_search_call", id="ws_1", status="completed", action={"type": "search", "query": "x"}))
    assert (list(found.tool_uses), list(found.tool_results)) == (
        [ToolUse("ws_1", "web_search")],
        [ToolResult("ws_1")],
    )
    unnamed = entry(item("web_search_call", status="failed", action={"type": "search"}))
    assert unnamed.tool_results[0] == ToolResult("key:100", is_error=True)


@pytest.mark.parametrize(
    ("output", "result", "text"),
    [
        ("done", ToolResult("c"), "done"),
        ({"content": "no such file", "success": False}, ToolResult("c", is_error=True), "no such file"),
        ([{"type": "input_text", "text": "seen"}], ToolResult("c"), "seen"),
        (
            json.dumps({"output": "boom", "metadata": {"exit_code": 2, "duration_seconds": 0.25}}),
            ToolResult("c", is_error=True, duration_ms=250),
            "boom",
        ),
        ("Exit code: 0\nWall time: 1.5 seconds\nOutput:\nfine", ToolResult("c", duration_ms=1500), None),
        (
            "Chunk ID: 7\nWall time: 0.5 seconds\nProcess exited with code 1\nOutput:\nExit code: 0",
            ToolResult("c", is_error=True, duration_ms=500),
            None,
        ),
        ("Output:\nExit code: 1", ToolResult("c", is_error=True), None),
        ("text\nOutput:\nExit code: 1", ToolResult("c"), None),
    ],
)
def test_tool_outputs(output: Any, result: ToolResult, text: str | None) -> None:
    body = item("function_call_output", call_id="c", output=output)
    found = entry(body)
    assert (found.role, list(found.tool_results)) == ("user", [result])
    (block,) = PARSER.content(body).blocks
    assert (block.type, block.tool_use_id) == ("toolResult", "c")
    assert text is None or block.text == text


def test_images_are_told_by_type_and_size() -> None:
    picture = {"type": "input_image", "image_url": "data:image/png;base64,QUJDREVG"}
    body = item("function_call_output", call_id="c", output=[picture, {"type": "input_text", "text": "seen"}])
    (block,) = PARSER.content(body).blocks
    assert (block.text, block.files) == ("seen", [Block("image", media_type="image/png", size=6)])


def test_tokens_are_those_of_the_last_response_named_by_the_total() -> None:
    found = entry(token_count(counts(26549, 22272, 1590, 1152), counts(6245, 5376, 407, 320)))
    assert found.response is not None
    assert found.response.usage == Usage(input_tokens=869, output_tokens=407, cache_read_tokens=5376)
    assert (found.response.message_id, found.response.model) == ("26549/22272/1590/1152", "")
    again = entry(token_count(counts(26549, 22272, 1590, 1152), counts(6245, 5376, 407, 320)))
    assert again.response == found.response


def test_the_first_response_of_a_thread_bears_its_name() -> None:
    found = entry(token_count(counts(2946, 0, 7, 0), counts(2946, 0, 7, 0)))
    assert found.response is not None
    assert found.response.message_id == f"{THREAD}/2946/0/7/0"


def test_tokens_written_to_the_cache_are_counted_once() -> None:
    last = counts(100, 60, 5, 0) | {"cache_write_input_tokens": 30}
    found = entry(token_count(counts(1000, 60, 5, 0), last))
    assert found.response is not None
    assert found.response.usage == Usage(10, 5, cache_creation_5m_tokens=30, cache_read_tokens=60)


@pytest.mark.parametrize(
    "body",
    [
        event("token_count", info=None, rate_limits={"primary": {"used_percent": 7.0}}),
        token_count({"total_tokens": 272000}, {"total_tokens": 1000}),
        event("token_count", info={"total_token_usage": counts(1, 0, 1, 0)}),
    ],
)
def test_no_response_without_tokens(body: bytes) -> None:
    assert entry(body).response is None


def test_titles() -> None:
    assert entry(event("user_message", message="Build\n  a house")).title == Title("Build a house", 0)
    assert entry(event("thread_name_updated", thread_name="The house")).title == Title("The house", 50)
    assert entry(event("thread_name_updated")).title is None
    assert entry(event("agent_message", message="x")).title is None


def test_how_a_turn_ends() -> None:
    assert entry(event("task_complete", last_agent_message="x")).ends == "turn"
    assert entry(event("turn_aborted", reason="interrupted")).ends == "interrupt"
    assert entry(event("turn_aborted", reason="replaced")).ends is None


@pytest.mark.parametrize("body", [line("brand_new", x=1), event("brand_new"), b'{"type":"message","role":"user"}\n'])
def test_what_was_never_heard_of_is_kept_and_told(body: bytes) -> None:
    (found,) = parsed(body)
    assert isinstance(found, Entry)
    assert not found.known


def test_damaged_lines_are_salvaged() -> None:
    good = message("user", "x").strip()
    glued = parsed(good + good + b"\n")
    assert [item.mended for item in glued if isinstance(item, Entry)] == ["", "glued to another record"]
    cut, whole = parsed(good[:30] + good + b"\n")
    assert (cut, isinstance(whole, Entry)) == (Unparsed(100, 30, "incomplete or garbled"), True)
    assert parsed(b"\0\0\0\n") == [Unparsed(100, 3, "NUL bytes")]
    assert parsed(b"\n") == []
    odd = entry(line("turn_context", model="m", cwd=7))
    assert (odd.model, odd.cwd, odd.mended) == ("m", None, "fields of a wrong type or size")


@pytest.mark.parametrize("body", [b"", b"[1]", b"{", b'{"payload":7}', b'{"payload":{"content":{"a":1}}}', b"\xff{}"])
def test_content_never_fails(body: bytes) -> None:
    assert PARSER.content(body).words() == ""
