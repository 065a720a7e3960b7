"""`ccod tail`: what a person sees, what a program reads, and how it ends."""

from __future__ import annotations

import io
import re
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from math import inf
from pathlib import Path
from typing import Any

import msgspec
import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from trio.testing import MockClock

from ccod import Event
from ccod_http.printing import printable
from ccod_ws.calls import PATIENCE_SECONDS
from ccod_ws.lines import Lines
from tests.plugins.ws.house import LIMIT, House, added, conversation, open_house

CCOD = Path(sys.executable).with_name("ccod")


def raw(**data: Any) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(data))


def spoken(text: str, conversation_id: str = "c1") -> msgspec.Raw:
    return said({"type": "text", "text": text}, conversation_id=conversation_id)


def said(*blocks: dict[str, Any], conversation_id: str = "c1", second: float = 0, **facts: Any) -> msgspec.Raw:
    at = f"2026-01-01T10:20:{second:06.3f}Z"
    message = {"role": "user", "timestamp": at, "blocks": blocks} | facts
    return raw(event="message_added", conversationId=conversation_id, message=message)


def use(key: str, command: str, **facts: Any) -> msgspec.Raw:
    block = {"type": "toolUse", "id": key, "name": "Bash", "input": {"command": command}}
    return said(block, **({"role": "assistant"} | facts))


def result(key: str, text: str, *, is_error: bool = False, **facts: Any) -> msgspec.Raw:
    return said({"type": "toolResult", "toolUseId": key, "text": text, "isError": is_error}, **facts)


def make_lines(*, terminal: bool = False, width: int = 60) -> tuple[Lines, io.StringIO]:
    out = io.StringIO()
    console = Console(file=out, highlight=False, force_terminal=terminal, width=width)

    async def project_of(conversation: str) -> str:
        return {"c1": "shop-api"}.get(conversation, "")

    return Lines(project_of, console), out


async def lines_of(*told: msgspec.Raw) -> list[str]:
    """Return the lines that tell of events, without their times."""
    lines, out = make_lines()
    for each in told:
        await lines.tell(each)
    return [line[9:] for line in out.getvalue().splitlines()]


async def test_a_line_names_the_project_whether_it_was_told_or_is_asked_for() -> None:
    started = raw(event="conversation_started", conversationId="c2", projectName="till")
    assert await lines_of(spoken("first"), started, spoken("second", "c2"), spoken("third", "c3")) == [
        "shop-api      you     first",
        "till          you     second",
        "-             you     third",
    ]


async def test_states_are_lines_unless_other_lines_tell_of_them() -> None:
    def change(to: str, reason: str) -> msgspec.Raw:
        return raw(event="conversation_state_changed", conversationId="c1", to=to, reason=reason)

    assert await lines_of(
        change("pending_tool", "tool unanswered"),
        change("active", "growing"),
        change("waiting", "turn ended"),
        raw(event="conversation_ended", conversationId="c1", duration=3_723_004, messageCount=7),
        raw(event="conversation_forgotten", conversationId="c1"),
    ) == [
        "shop-api      state   waiting: turn ended",
        "shop-api      state   ended after 1:02:03, 7 messages",
        "shop-api      state   forgotten",
    ]


async def test_a_tool_call_is_one_line_with_its_duration_and_outcome() -> None:
    assert await lines_of(
        use("t1", "make test\n-k x", second=1),
        use("t2", "sleep 40", second=2, agentId="a1b2c3d4e5"),
        result("t1", "\n 7 passed\nmore", second=2.25),
        result("t2", "exit 1", is_error=True, second=42, agentId="a1b2c3d4e5"),
        result("t9", ""),
        use("t3", "ls", second=5),
        result("t3", "", second=4),
    ) == [
        "shop-api      claude  Bash  make test  1.2 s  ✓ 7 passed",
        "shop-api      agent   [a1b2c3] Bash  sleep 40  40 s  ✗ exit 1",
        "shop-api      tool    ✓",
        "shop-api      claude  Bash  ls  0.0 s  ✓",
    ]


async def test_a_tool_call_that_takes_long_is_told_of_once_as_it_is(autojump_clock: MockClock) -> None:
    lines, out = make_lines()
    await lines.tell(use("t1", "make"))
    assert lines.deadline == trio.current_time() + PATIENCE_SECONDS
    await trio.sleep_until(lines.deadline)
    for _ in range(2):
        await lines.flush()
    assert lines.deadline == inf
    await lines.tell(result("t1", "done", second=59))
    assert [line[9:] for line in out.getvalue().splitlines()] == [
        "shop-api      claude  Bash  make  … not answered yet",
        "shop-api      claude  Bash  make  59 s  ✓ done",
    ]


@pytest.mark.parametrize(
    ("facts", "block", "expected"),
    [
        ({}, {"type": "text", "text": "\n  fix it \nplease"}, "you     fix it"),
        ({"isMeta": True}, {"type": "text", "text": "x"}, "meta    x"),
        ({"role": "assistant"}, {"type": "thinking", "text": ""}, "claude  (thinking)"),
        ({"role": "assistant", "agentId": "a1"}, {"type": "text", "text": "x"}, "agent   [a1] x"),
        ({"agentId": "a1"}, {"type": "text", "text": "do"}, "claude  [a1] do"),
        ({}, {"type": "image"}, "you     (image)"),
    ],
)
async def test_what_is_told_of_a_message(facts: dict[str, Any], block: dict[str, Any], expected: str) -> None:
    assert await lines_of(said(block, **facts)) == [f"shop-api      {expected}"]


async def test_a_message_without_blocks_says_its_content() -> None:
    assert await lines_of(said(content="plain")) == ["shop-api      you     plain"]


@given(st.text())
def test_nothing_reaches_a_terminal_that_it_might_obey(text: str) -> None:
    assert printable(text).isprintable()


async def test_escape_sequences_are_shown_and_not_obeyed() -> None:
    started = raw(event="conversation_started", conversationId="c1", projectName="evil\x1b[2J")
    assert await lines_of(started, spoken("a\x1b]0;title\x07b\x9b31m [red]markup[/red]")) == [
        "evil\\x1b[2J   you     a\\x1b]0;title\\x07b\\x9b31m [red]markup[/red]"
    ]


@pytest.mark.parametrize(("terminal", "length"), [(True, 60), (False, 331)])
async def test_a_terminal_gets_short_lines_and_a_pipe_whole_ones(terminal: bool, length: int) -> None:
    lines, out = make_lines(terminal=terminal)
    await lines.tell(spoken("x" * 300))
    plain = re.sub("\x1b\\[[0-9;]*m", "", out.getvalue())
    assert [len(line) for line in plain.splitlines()] == [length]


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
async def test_colour_is_left_out_where_it_is_not_wanted(
    no_color: str, coloured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("NO_COLOR", no_color)
    lines, out = make_lines(terminal=True)
    await lines.tell(spoken("hello"))
    assert ("\x1b[32m" in out.getvalue()) == coloured


# ---------------------------------------------------------------- the command itself


@asynccontextmanager
async def tail(port: int, home: Path, *options: str) -> AsyncIterator[trio.Process]:
    process = await trio.lowlevel.open_process(
        [str(CCOD), "tail", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        env={"CCOD_HTTP__PORT": str(port), "XDG_CONFIG_HOME": str(home), "HOME": str(home), "TZ": "UTC"},
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        for stream in (process.stdout, process.stderr):
            assert stream is not None
            await stream.aclose()


async def read_line(stream: Any) -> str:
    line = b""
    with trio.fail_after(LIMIT):
        while not line.endswith(b"\n"):
            part = bytes(await stream.receive_some(1))
            assert part, "the output has ended"
            line += part
    return line.decode()


async def heard(house: House) -> None:
    """Wait until somebody listens."""
    with trio.fail_after(LIMIT):
        while not house.hub.hears_channel("conversations"):
            await trio.sleep(0.01)


async def ended(process: trio.Process) -> int:
    with trio.fail_after(LIMIT):
        return await process.wait()


async def test_tail_prints_what_happens_until_interrupted(tmp_path: Path) -> None:
    async with open_house() as house, tail(house.port, tmp_path, "--since", "1") as process:
        house.storage.kept_conversations["c1"] = conversation("c1")
        house.store(added(1, "before"), Event(2, "conversation_started", 1000, "c1", "p1"), added(3, "hello"))
        assert (await read_line(process.stdout)).split() == ["00:00:01", "shop-api", "you", "hello"]
        house.store(added(4, "there"))
        assert (await read_line(process.stdout)).split()[-1] == "there"
        process.send_signal(signal.SIGINT)
        assert await ended(process) == 0
        assert process.stderr is not None
        assert await process.stderr.receive_some() == b""


async def test_tail_json_tells_everything_in_printable_lines(tmp_path: Path) -> None:
    async with open_house() as house, tail(house.port, tmp_path, "--json", "--conversation", "c2") as process:
        await heard(house)
        house.store(added(1), added(2, "bell \x07 csi \x9b", "c2"))
        line = await read_line(process.stdout)
        assert line.strip().isprintable()
        assert msgspec.json.decode(line)["message"]["content"] == "bell \x07 csi \x9b"


async def test_tail_says_what_it_cannot_do(tmp_path: Path) -> None:
    async with open_house() as house, tail(house.port, tmp_path, "--since", "99") as process:
        assert await ended(process) == 1
        assert "99 is no place in this database, its events go up to 0" in await read_line(process.stderr)


async def test_tail_without_a_daemon_says_so(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        async with tail(port, tmp_path) as process:
            assert await ended(process) == 69
            assert await read_line(process.stderr) == (
                f"ccod: no daemon answers at localhost:{port}; start one with `ccod serve`\n"
            )


async def test_tail_ends_quietly_when_its_pipe_is_closed(tmp_path: Path) -> None:
    async with open_house() as house, tail(house.port, tmp_path, "--json") as process:
        await heard(house)
        assert process.stdout is not None
        await process.stdout.aclose()
        house.store(added(1))
        await ended(process)
        assert process.stderr is not None
        assert await process.stderr.receive_some() == b""
