"""What a pipe behind `ccod serve` reads."""

from __future__ import annotations

import json
import signal
import subprocess
from array import array
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from fcntl import ioctl
from pathlib import Path
from termios import FIONREAD
from typing import Any

import trio

from tests.e2e.daemon import CCOD, run_ccod
from tests.e2e.home import Home
from tests.e2e.lines import SESSION, answer, line

PATIENCE = 30
PIPE_BYTES = 40_000
"""So many are in a pipe of 64 KiB that is full: each of its pages may have room for less than a line."""


class Piped:
    """A daemon whose standard output is a pipe."""

    def __init__(self, home: Home, process: trio.Process) -> None:
        self.home = home
        self.process = process
        assert isinstance(process.stdout, trio.lowlevel.FdStream)
        self.stdout = process.stdout
        self._read = b""

    async def logged(self, event: str) -> None:
        with trio.fail_after(PATIENCE):
            while f'"event": "{event}' not in self.home.log.read_text():
                await trio.sleep(0.02)

    async def next(self, kind: str) -> dict[str, Any]:
        """Return the next event of a kind."""
        with trio.fail_after(PATIENCE):
            while True:
                text, end, rest = self._read.partition(b"\n")
                if not end:
                    more = await self.stdout.receive_some()
                    assert more, "nothing more is printed"
                    self._read += more
                    continue
                self._read = rest
                event: dict[str, Any] = json.loads(text)
                if event["kind"] == kind:
                    return event

    def write(self, *lines: bytes) -> None:
        transcript = self.home.root / "-home-dev-demo" / f"{SESSION}.jsonl"
        transcript.parent.mkdir(exist_ok=True)
        with transcript.open("ab") as file:
            file.write(b"".join(lines))

    async def is_full(self) -> None:
        """Wait until the pipe takes no more: whoever prints is stuck."""
        held = array("i", [0])
        with trio.fail_after(PATIENCE):
            while held[0] < PIPE_BYTES:
                await trio.sleep(0.02)
                ioctl(self.stdout.fileno(), FIONREAD, held)

    async def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        with trio.fail_after(PATIENCE):
            return await self.process.wait()


@asynccontextmanager
async def piped(path: Path, **variables: str) -> AsyncIterator[Piped]:
    home = Home(path)
    home.variables |= variables
    with home.log.open("wb") as log:
        process = await trio.lowlevel.open_process(
            [str(CCOD), "serve", "--config", str(home.config)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd=path,
            env=home.environment,
        )
    try:
        daemon = Piped(home, process)
        await daemon.logged("ready")
        yield daemon
    finally:
        process.kill()
        with trio.CancelScope(shield=True):
            await process.wait()


async def test_events_are_lines(tmp_path: Path) -> None:
    async with piped(tmp_path) as daemon:
        daemon.write(line("hello"), answer("ghp_" + "x7Kq2mZ9pL4vT8nB1cR6wY3jH5dF0gS2aE7u"))
        started = await daemon.next("conversation_started")
        assert started["conversationId"] == SESSION
        first, second = await daemon.next("message_added"), await daemon.next("message_added")
        assert (first["role"], first["text"], second["role"]) == ("user", "hello", "assistant")
        assert "x7Kq2mZ9" not in second["text"], "secrets are masked"
        assert started["seq"] < first["seq"] < second["seq"]
        assert await daemon.stop() == 0


async def test_it_is_the_only_way_out_where_the_others_are_left_out(tmp_path: Path) -> None:
    async with piped(tmp_path, CCOD_DISABLE="http,metrics,rest,ws", CCOD_TRACE_PLUGINS="true") as daemon:
        daemon.write(line("hello"))
        assert (await daemon.next("message_added"))["text"] == "hello"
        assert not listening(daemon.process.pid), "nothing is served"
        log = daemon.home.log.read_text()
        assert "stdout ccod_transports" in log
        assert '"listening' not in log
        for command in (["status"], ["user", "list"], ["token", "list"]):
            code, said = await run_ccod(daemon.home, *command, "--config", str(daemon.home.config))
            assert code == 78, said
            assert "Traceback" not in said
            told = said.splitlines()[-1]  # behind what was traced
            assert "needs the plugin of ccod_http, which is left out (http, metrics, rest, ws)" in told
        assert (await run_ccod(daemon.home, "db", "check", "--config", str(daemon.home.config)))[0] == 0
        assert await daemon.stop() == 0


async def test_what_was_written_while_it_was_down_is_printed(tmp_path: Path) -> None:
    async with piped(tmp_path) as daemon:
        daemon.write(line("before"))
        assert (await daemon.next("message_added"))["text"] == "before"
        assert await daemon.stop() == 0
        daemon.write(line("meanwhile"))
    async with piped(tmp_path) as daemon:
        assert (await daemon.next("message_added"))["text"] == "meanwhile"
        assert await daemon.stop() == 0


def listening(process: int) -> list[str]:
    """Return the sockets of a process to which others can connect."""
    inodes = {each.readlink().name for each in Path(f"/proc/{process}/fd").iterdir() if each.is_symlink()}
    tables = [Path(f"/proc/{process}/net/{kind}").read_text() for kind in ("tcp", "tcp6", "unix")]
    rows = [row.split() for table in tables for row in table.splitlines()[1:]]
    tcp = {f"socket:[{row[9]}]" for row in rows if ":" in row[1] and row[3] == "0A"}
    unix = {f"socket:[{row[6]}]" for row in rows if row[0].endswith(":") and row[3] == "00010000" and len(row) > 7}
    return sorted(inodes & (tcp | unix))


async def test_who_reads_slowly_misses_nothing_and_keeps_nobody_waiting(tmp_path: Path) -> None:
    count = 600
    async with piped(tmp_path) as daemon:
        for number in range(count):  # one batch each, more than the bus holds for anybody; and more than a pipe takes
            daemon.write(line(f"{number} " + "x" * 1000))
            await trio.sleep(0.002)
        await daemon.is_full()
        texts = [(await daemon.next("message_added"))["text"].split()[0] for _ in range(count)]
        assert texts == [str(number) for number in range(count)]


async def test_a_reader_that_is_stuck_does_not_keep_the_daemon_from_stopping(tmp_path: Path) -> None:
    async with piped(tmp_path) as daemon:
        daemon.write(*(line("x" * 10_000) for _ in range(50)))
        await daemon.is_full()
        assert await daemon.stop() == 0


async def test_a_reader_that_goes_away_ends_the_printing_alone(tmp_path: Path) -> None:
    async with piped(tmp_path) as daemon:
        await daemon.stdout.aclose()
        daemon.write(line("hello"))
        await daemon.logged("nobody reads standard output")
        assert daemon.process.poll() is None
        assert await daemon.stop() == 0
