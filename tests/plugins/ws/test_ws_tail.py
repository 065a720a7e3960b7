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
from pathlib import Path
from typing import Any

import msgspec
import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from trio.testing import MockClock

from ccod_ws.lines import Block, Lines, Message, printable, told
from tests.plugins.ws.house import LIMIT, House, added, conversation, open_house

CCOD = Path(sys.executable).with_name("ccod")


def raw(**data: Any) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(data))


def spoken(text: str, conversation_id: str = "c1") -> msgspec.Raw:
    message = {"role": "user", "timestamp": "2026-01-01T10:20:30.000Z", "blocks": [{"type": "text", "text": text}]}
    return raw(event="message_added", conversationId=conversation_id, message=message)


def updated(project: str) -> msgspec.Raw:
    return raw(event="conversation_updated", conversation={"id": "c1", "projectName": project})


def make_lines(*, terminal: bool = False, width: int = 60) -> tuple[Lines, io.StringIO]:
    out = io.StringIO()
    console = Console(file=out, highlight=False, force_terminal=terminal, width=width)
    return Lines(console), out


async def test_lines_wait_for_the_project_but_not_for_ever(autojump_clock: MockClock) -> None:
    lines, out = make_lines()
    lines.broadcast(spoken("first"))
    assert out.getvalue() == ""
    lines.broadcast(updated("shop-api"))
    lines.broadcast(spoken("second"))
    assert [line[8:] for line in out.getvalue().splitlines()] == [
        " shop-api      you     first",
        " shop-api      you     second",
    ]
    lines.broadcast(spoken("third", "c2"))
    await trio.sleep_until(lines.deadline)
    lines.flush()
    assert out.getvalue().splitlines()[-1][8:] == " -             you     third"


async def test_states_are_lines_in_their_place(autojump_clock: MockClock) -> None:
    lines, out = make_lines()
    lines.broadcast(spoken("hello"))
    change = {"conversationId": "c1", "from": "active", "to": "pending_tool", "reason": "tool unanswered"}
    lines.broadcast(raw(event="conversation_state_changed", **change))
    assert out.getvalue() == ""
    lines.broadcast(updated("shop-api"))
    lines.broadcast(raw(event="conversation_ended", conversationId="c1", duration=3_723_004, messageCount=7))
    assert [line[8:] for line in out.getvalue().splitlines()] == [
        " shop-api      you     hello",
        " shop-api      state   pending tool: tool unanswered",
        " shop-api      state   ended after 1:02:03, 7 messages",
    ]


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (Message("user", "", blocks=[Block("text", "\n  fix it \nplease")]), [("you", "fix it")]),
        (Message("user", "", blocks=[Block("text", "x")], is_meta=True), [("meta", "x")]),
        (Message("assistant", "", blocks=[Block("thinking", "")]), [("claude", "(thinking)")]),
        (
            Message(
                "assistant",
                "",
                blocks=[Block("text", "Now:"), Block("toolUse", name="Bash", input={"command": "ls\n-l"})],
            ),
            [("claude", "Now:"), ("claude", "Bash  ls")],
        ),
        (Message("assistant", "", blocks=[Block("toolUse", name="Odd", input=[1])]), [("claude", "Odd")]),
        (Message("assistant", "", blocks=[Block("text", "x")], agent_id="a1"), [("agent", "x")]),
        (Message("user", "", blocks=[Block("text", "do")], agent_id="a1"), [("claude", "do")]),
        (Message("user", "", blocks=[Block("toolResult", "exit 1", is_error=True)]), [("tool", "✗ exit 1")]),
        (Message("user", "", blocks=[Block("image")]), [("you", "(image)")]),
        (Message("user", "", "plain"), [("you", "plain")]),
    ],
)
def test_what_is_told_of_a_message(message: Message, expected: list[tuple[str, str]]) -> None:
    assert list(told(message)) == expected


@given(st.text())
def test_nothing_reaches_a_terminal_that_it_might_obey(text: str) -> None:
    assert printable(text).isprintable()


async def test_escape_sequences_are_shown_and_not_obeyed() -> None:
    lines, out = make_lines()
    lines.broadcast(updated("evil\x1b[2J"))
    lines.broadcast(spoken("a\x1b]0;title\x07b\x9b31m [red]markup[/red]"))
    assert out.getvalue()[8:] == " evil\\x1b[2J   you     a\\x1b]0;title\\x07b\\x9b31m [red]markup[/red]\n"


@pytest.mark.parametrize(("terminal", "length"), [(True, 60), (False, 331)])
async def test_a_terminal_gets_short_lines_and_a_pipe_whole_ones(terminal: bool, length: int) -> None:
    lines, out = make_lines(terminal=terminal)
    lines.broadcast(updated("shop-api"))
    lines.broadcast(spoken("x" * 300))
    plain = re.sub("\x1b\\[[0-9;]*m", "", out.getvalue())
    assert [len(line) for line in plain.splitlines()] == [length]


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
async def test_colour_is_left_out_where_it_is_not_wanted(
    no_color: str, coloured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("NO_COLOR", no_color)
    lines, out = make_lines(terminal=True)
    lines.broadcast(updated("shop-api"))
    lines.broadcast(spoken("hello"))
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
    async with open_house() as house, tail(house.port, tmp_path) as process:
        house.storage.kept_conversations["c1"] = conversation("c1")
        await heard(house)
        house.store(added(1, "hello"), conversations=["c1"])
        assert (await read_line(process.stdout)).split() == ["00:00:01", "shop-api", "you", "hello"]
        process.send_signal(signal.SIGINT)
        assert await ended(process) == 0
        assert process.stderr is not None
        assert await process.stderr.receive_some() == b""


async def test_tail_json_ends_with_the_daemon(tmp_path: Path) -> None:
    async with open_house() as house, tail(house.port, tmp_path, "--json") as process:
        await heard(house)
        house.store(added(1, "bell \x07 csi \x9b"))
        line = await read_line(process.stdout)
        assert line.strip().isprintable()
        assert msgspec.json.decode(line)["message"]["content"] == "bell \x07 csi \x9b"
        house.observatory.stopping.set()
        assert await ended(process) == 69
        assert await read_line(process.stderr) == (
            f"ccod: the daemon at localhost:{house.port} closed the connection: server shutdown\n"
        )


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
