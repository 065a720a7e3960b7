"""More and larger than anybody has: many files and folders, deep ones, lines of hundreds of megabytes, a million lines.

    python -m tests.faults.scale --files 100000 --seed 1

Memory must have a bound, what is appended elsewhere meanwhile be told of soon, a line that is too long be set aside,
and all else be stored.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO
from uuid import UUID

import trio
from msgspec import Struct

from ccod.testing.waiting import eventually
from tests.bench.process import peak_rss
from tests.e2e.daemon import Daemon, open_daemon
from tests.e2e.home import Tables
from tests.e2e.lines import line
from tests.faults.rows import rows

MIB = 2**20
LATE_SECONDS = 2.0
MOST_RSS = 200 * MIB
DEPTH = 200
PATIENCE = 3000.0
CANARY = "5b0c8f0a-52d5-4b55-a7c5-3d2a0a1f0011"
QUARANTINED = "SELECT sum(q.length) FROM quarantine q JOIN streams s ON s.id = q.stream_id WHERE s.path = ?"
SHORT, AROUND = line("{}", session="{}", uuid="{}"), len(b'{"type":"user","text":""}\n')
"""A line to be filled in, which is faster than to make each; and the bytes around what makes a long line long."""


class Size(Struct, frozen=True):
    """How much of everything; lines that are too long in bytes."""

    files: int
    folders: int
    lines: int
    long: tuple[int, ...]
    max_line: int

    @classmethod
    def of(cls, files: int) -> Size:
        """Return what belongs to so many files: the long lines are those of the worst case, or small ones of a test."""
        is_large = files >= 5000
        long, max_line = ((64 * MIB, 512 * MIB), 16 * MIB) if is_large else ((2 * MIB, 4 * MIB), MIB)
        return cls(files, max(1, files // 10), 10 * files, long, max_line)


class Report(Struct):
    """What came of it; times in seconds, memory in bytes."""

    records: int = 0
    lost: int = 0
    doubled: int = 0
    wrong: list[str] = []
    tree_seconds: float = 0
    lines_seconds: float = 0
    long_seconds: float = 0
    told: int = 0
    latest_seconds: float = 0
    rss: int = 0

    @property
    def unsound(self) -> int:
        """What is wrong on any machine, be it fast or slow."""
        return self.lost + self.doubled + len(self.wrong)

    @property
    def violations(self) -> int:
        return self.unsound + (self.latest_seconds > LATE_SECONDS) + (self.rss > MOST_RSS)


class Writer:
    """Writes transcripts, and counts the records that are to be stored."""

    def __init__(self, root: Path, dice: random.Random) -> None:
        self.root = root
        self.records = 0
        self._dice = dice

    def tree(self, size: Size) -> None:
        """Make many files of a line each, and one far below."""
        for number in range(size.files):
            folder = self.root / f"-home-dev-{number % size.folders}"
            folder.mkdir(exist_ok=True)
            self._file(folder / f"{self._uuid()}.jsonl", 1)
        deep = self.root / "-home-dev-0" / self._uuid() / "subagents" / "/".join("d" * (DEPTH - 3))
        deep.mkdir(parents=True)
        self._file(deep / "agent-deep.jsonl", 1)

    def lines(self, count: int) -> None:
        self._file(self._new(), count)

    def long(self, length: int) -> Path:
        """Make a file with a line that is too long between two others."""
        path = self._new()
        session = path.stem
        with path.open("wb") as file:
            file.write(self._line(session))
            file.write(b'{"type":"user","text":"')
            for portion in _portions(length):
                file.write(portion)
            file.write(b'"}\n')
            file.write(self._line(session))
        return path

    def say(self, file: IO[bytes], uuid: str) -> None:
        file.write(_filled("canary", CANARY, uuid))
        self.records += 1

    def _new(self) -> Path:
        folder = self.root / "-home-dev-large"
        folder.mkdir(exist_ok=True)
        return folder / f"{self._uuid()}.jsonl"

    def _file(self, path: Path, count: int) -> None:
        with path.open("wb") as file:
            for _ in range(count):
                file.write(self._line(path.stem))

    def _line(self, session: str) -> bytes:
        self.records += 1
        return _filled(str(self.records), session, self._uuid())

    def _uuid(self) -> str:
        return str(UUID(int=self._dice.getrandbits(128), version=4))


class Canary:
    """A transcript that goes on while all the rest is read, and how late each line of it was told."""

    def __init__(self, daemon: Daemon, writer: Writer, report: Report) -> None:
        self._daemon = daemon
        self._writer = writer
        self._report = report
        self._said: dict[str, float] = {}

    async def write(self) -> None:
        path = self._writer.root / "-home-dev-canary" / f"{CANARY}.jsonl"
        path.parent.mkdir()
        with path.open("ab", buffering=0) as file:
            for number in range(2**32):
                uuid = str(UUID(int=number, version=4))
                self._said[uuid] = trio.current_time()
                self._writer.say(file, uuid)
                await trio.sleep(0.25)

    async def listen(self, *, task_status: trio.TaskStatus[None]) -> None:
        async with self._daemon.websocket("conversations") as listener:
            task_status.started()
            while True:
                message = (await listener.event("message_added", seconds=PATIENCE))["message"]
                if began := self._said.pop(message["id"], None):
                    late = trio.current_time() - began
                    self._report.told += 1
                    self._report.latest_seconds = round(max(self._report.latest_seconds, late), 2)

    def silent(self) -> bool:
        """Tell whether all that was said was told."""
        return not self._said


async def scale(home: Path, size: Size, seed: int) -> Report:
    """Run the whole experiment on folders below `home`."""
    report = Report()
    tables: Tables = {"claude": {"max_line": size.max_line}, "log": {"levels": {"http.request": "warning"}}}
    async with open_daemon(home, tables, start=False) as daemon:
        writer = Writer(daemon.home.root, random.Random(seed))
        await trio.to_thread.run_sync(writer.tree, size)
        await daemon.start()
        canary = Canary(daemon, writer, report)
        async with trio.open_nursery() as nursery:
            await nursery.start(canary.listen)
            async with trio.open_nursery() as saying:
                saying.start_soon(canary.write)
                await _feed(daemon, writer, size, report)
                saying.cancel_scope.cancel()
            await eventually(lambda: _has(daemon, writer), "last lines")
            with trio.move_on_after(20):
                while not canary.silent():
                    await trio.sleep(0.1)
            report.wrong += ["a line was not told"] * (not canary.silent())
            nursery.cancel_scope.cancel()
        report.rss = peak_rss(daemon.process.pid)
        report.wrong += [f"exit {code}" for code in [await daemon.terminate()] if code]
        report.wrong += [said for said in daemon.stderr if "Traceback" in said]
        _compare(daemon, writer, report)
    return report


async def _feed(daemon: Daemon, writer: Writer, size: Size, report: Report) -> None:
    """Let the daemon read the tree, then a file of many lines, then one long line after the other."""
    began = trio.current_time()
    await eventually(lambda: _has(daemon, writer), "the whole tree", PATIENCE)
    report.tree_seconds = round(trio.current_time() - began, 1)
    began = trio.current_time()
    await trio.to_thread.run_sync(writer.lines, size.lines)
    await eventually(lambda: _has(daemon, writer), "all lines of a large file", PATIENCE)
    report.lines_seconds = round(trio.current_time() - began, 1)
    began = trio.current_time()
    for length in size.long:
        path = await trio.to_thread.run_sync(writer.long, length)
        await eventually(lambda file=path: _is_read(daemon, file), "the end of a long line", PATIENCE)  # type: ignore[misc]
        (found,) = rows(daemon.home.database, QUARANTINED, str(path)) or [(0,)]
        if found[0] != length + AROUND:
            report.wrong.append(f"of a line of {length} bytes, {found[0]} are set aside")
        path.unlink()
    report.long_seconds = round(trio.current_time() - began, 1)


async def _has(daemon: Daemon, writer: Writer) -> bool:
    await trio.sleep(0.2)
    ((count,),) = rows(daemon.home.database, "SELECT count(*) FROM entries")
    return bool(count >= writer.records)


async def _is_read(daemon: Daemon, path: Path) -> bool:
    await trio.sleep(0.2)
    size = path.stat().st_size  # noqa: ASYNC240
    return rows(daemon.home.database, "SELECT position FROM streams WHERE path = ?", str(path)) == [(size,)]


def _compare(daemon: Daemon, writer: Writer, report: Report) -> None:
    ((stored, different),) = rows(daemon.home.database, "SELECT count(*), count(DISTINCT uuid) FROM entries")
    report.records = writer.records
    report.lost = writer.records - different
    report.doubled = stored - different
    report.wrong += [text for (text,) in rows(daemon.home.database, "PRAGMA integrity_check") if text != "ok"]


def _filled(text: str, session: str, uuid: str) -> bytes:
    """Return a line; of its places the session comes before the text, and the uuid last."""
    first, second, third, rest = SHORT.split(b"{}")
    return b"".join((first, session.encode(), second, text.encode(), third, uuid.encode(), rest))


def _portions(length: int) -> Iterator[bytes]:
    """Return so many bytes that compress badly, a megabyte at a time."""
    dice = random.Random(length)
    for _ in range(length // MIB):
        yield dice.randbytes(MIB // 2).hex().encode()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.scale", description=__doc__)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="ccod-scale-") as folder:
        report = trio.run(scale, Path(folder), Size.of(arguments.files), arguments.seed)
    print(json.dumps({name: getattr(report, name) for name in report.__struct_fields__}))
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main())
