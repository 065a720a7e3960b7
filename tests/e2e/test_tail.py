"""`ccod tail` beside a daemon that comes and goes."""

from __future__ import annotations

import json
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import trio

from ccod.testing.waiting import eventually, limit
from tests.e2e.daemon import CCOD, Daemon, free_port, open_daemon
from tests.e2e.lines import answer, line


class Output:
    """What `ccod tail` prints, line by line."""

    def __init__(self, stream: trio.abc.ReceiveStream) -> None:
        self._stream = stream
        self._read = b""

    async def line(self) -> str:
        with limit(30, "line of ccod tail"):
            while b"\n" not in self._read:
                part = bytes(await self._stream.receive_some())
                assert part, "ccod tail has ended"
                self._read += part
        line, _, self._read = self._read.partition(b"\n")
        return line.decode()

    async def message(self) -> str:
        """Return what the next message says."""
        while True:
            data: dict[str, Any] = json.loads(await self.line())
            if data["event"] == "message_added":
                return str(data["message"]["content"])


@asynccontextmanager
async def tail(daemon: Daemon, *options: str) -> AsyncIterator[Output]:
    process = await trio.lowlevel.open_process(
        [str(CCOD), "tail", "--config", str(daemon.home.config), *options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        cwd=daemon.home.path,
        env=daemon.home.environment | {"TZ": "UTC"},
    )
    assert process.stdout is not None
    async with process.stdout:
        try:
            yield Output(process.stdout)
        finally:
            process.kill()
            with trio.CancelScope(shield=True):
                await process.wait()


async def test_tail_goes_on_where_it_was_when_the_daemon_is_back(tmp_path: Path) -> None:
    tables = {"http": {"port": free_port(), "host": "127.0.0.1"}}
    async with open_daemon(tmp_path, tables) as daemon, tail(daemon, "--json", "--since", "0") as output:
        folder = daemon.home.root / "-home-dev-demo"
        folder.mkdir()
        path = folder / f"{uuid4()}.jsonl"
        told = []
        for number in range(3):
            with path.open("ab") as file:
                file.write(line(f"up {number}", session=path.stem))
            told.append(await output.message())
            await daemon.kill()
            with path.open("ab") as file:
                file.write(line(f"down {number}", session=path.stem))
            await daemon.start()
            told.append(await output.message())
    assert told == [f"{state} {number}" for number in range(3) for state in ("up", "down")]


async def test_tail_shows_one_project_with_its_subagents_and_tool_calls(tmp_path: Path) -> None:
    tables = {"http": {"port": free_port(), "host": "127.0.0.1"}}
    async with open_daemon(tmp_path, tables) as daemon:
        mine, other = (Session(daemon, name) for name in ("demo", "other"))
        other.append("", line("not here"))
        mine.append("", line("hello"))
        async with tail(daemon, "--project", await mine.known(), "--since", "0") as output:
            assert (await output.line()).split()[1:] == ["demo", "you", "hello"]
            other.append("", line("nor here"))
            mine.append("subagents/agent-a1b2c3d4.jsonl", answer("all is well", isSidechain=True, agentId="a1b2c3d4"))
            assert (await output.line()).split(maxsplit=3)[1:] == ["demo", "agent", "[a1b2c3] all is well"]
            call = answer("ls -l", tool="Bash", timestamp="2026-01-01T10:00:00.000Z")
            mine.append("", call)
            key = json.loads(call)["message"]["content"][0]["id"]
            result = {"type": "tool_result", "tool_use_id": key, "content": "total 0"}
            mine.append(
                "", line("", message={"role": "user", "content": [result]}, timestamp="2026-01-01T10:00:02.500Z")
            )
            assert (await output.line()).split(maxsplit=3)[2:] == ["claude", "Bash  ls -l  2.5 s  ✓ total 0"]


class Session:
    """A conversation in a project of its own."""

    def __init__(self, daemon: Daemon, project: str) -> None:
        self._daemon = daemon
        self._project = project
        self._id = str(uuid4())
        self._folder = daemon.home.root / f"-home-dev-{project}"

    def append(self, beside: str, record: bytes) -> None:
        """Write a line to its transcript, or to a file beside that."""
        path = self._folder / self._id / beside if beside else self._folder / f"{self._id}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        fields = json.loads(record) | {"sessionId": self._id, "cwd": f"/home/dev/{self._project}"}
        with path.open("ab") as file:
            file.write(json.dumps(fields).encode() + b"\n")

    async def known(self) -> str:
        """Wait until the project is there, and return its name."""

        async def names() -> bool:
            return self._project in {item["name"] for item in await self._daemon.items("/api/projects")}

        await eventually(names, "project")
        return self._project
