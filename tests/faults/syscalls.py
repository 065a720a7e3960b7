"""Kill the daemon at a system call on its database, or let that call fail: what is stored in the end?

    python -m tests.faults.syscalls --points 60 --seed 1

A point is the N-th call of a kind. A first run counts how many there are, from making the database to the last line.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import shutil
import signal
import sqlite3
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path
from uuid import UUID

import trio
from msgspec import Struct

from ccod.testing.waiting import eventually
from tests.e2e.daemon import Daemon, open_daemon
from tests.e2e.lines import line
from tests.faults.tracing import STRACE, can_trace, end_tracing

SKIPPED = 77
LINES = 120
SESSION = "5b0c8f0a-52d5-4b55-a7c5-3d2a0a1f0001"
CALLS = ("pwrite64", "fdatasync", "ftruncate", "openat", "unlink")
ERRORS = {
    "pwrite64": ("ENOSPC", "EIO", "EDQUOT", "EINTR", "EAGAIN"),
    "fdatasync": ("EIO", "ENOSPC", "EINTR"),
    "ftruncate": ("EIO", "ENOSPC"),
    "openat": ("EIO", "EMFILE", "ENOSPC"),
    "unlink": ("EIO",),
}
ENDS = {"EINTR"}
"""What no kernel answers for ever: SQLite asks again until it gets another answer."""
REFUSED = {69, 75, 78}
"""A daemon that cannot begin says so in a line and ends with one of these; the next start must go well."""
SUFFIXES = ("", "-wal", "-shm", "-journal", ".lock", ".part", ".part-journal")
FAULT_SECONDS, LONG_SECONDS = 15.0, 60.0


class Point(Struct, frozen=True):
    """The `number`-th call is the one; with an `error` it fails, once or from then on, and without the daemon dies."""

    call: str
    number: int
    error: str = ""
    for_ever: bool = False

    @property
    def injection(self) -> str:
        when = f"when={self.number}{'+' if self.for_ever else ''}"
        return f"inject={self.call}:{f'error={self.error}' if self.error else 'signal=SIGKILL'}:{when}"


class Report(Struct):
    """What came of it. `reached` are the points that a run came to before all was stored."""

    points: int = 0
    reached: int = 0
    refused: int = 0
    lost: int = 0
    doubled: int = 0
    wrong: list[str] = []

    @property
    def violations(self) -> int:
        return self.lost + self.doubled + len(self.wrong)


async def run(folder: Path, points: int, seed: int) -> Report:
    """Try `points` points, or all of them where it is 0."""
    dice = random.Random(seed)
    counts = await _count(folder / "count", dice)
    report = Report()
    for number, point in enumerate(_points(counts, points, dice)):
        report.points += 1
        home = folder / str(number)
        try:
            await attempt(home, point, dice, report)
        except AssertionError as error:
            report.wrong.append(f"{point}: {' '.join(str(error).split())[:500]}")
        shutil.rmtree(home)
    return report


def _points(counts: Mapping[str, int], points: int, dice: random.Random) -> list[Point]:
    """Return points of every kind in turn, so that rare calls are tried as much as common ones."""
    kills = {call: [Point(call, number) for number in range(1, counts[call] + 1)] for call in CALLS}
    errors = {
        f"{call} {error}": [
            Point(call, number, error, for_ever=ever)
            for number in range(1, counts[call] + 1)
            for ever in ((False,) if error in ENDS else (False, True))
        ]
        for call, names in ERRORS.items()
        for error in names
    }
    kinds = [dice.sample(each, len(each)) for each in (*kills.values(), *errors.values()) if each]
    turns = [each[turn] for turn in range(max(map(len, kinds))) for each in kinds if turn < len(each)]
    return turns[:points] if points else turns


async def _count(home: Path, dice: random.Random) -> dict[str, int]:
    """Return how often each call is made by the thread that makes it most: a fault counts by threads."""
    async with open_daemon(home, start=False) as daemon:
        written = Written(daemon, dice)
        written.grow(LINES)
        await daemon.spawn(_strace(daemon, f"trace={','.join(CALLS)}"))
        await eventually(lambda: _has(daemon, written), "all lines stored", LONG_SECONDS)
        assert await daemon.terminate() == 0, daemon.report()
        made = Counter(re.findall(r"^(\d+) +(\w+)\(", _trace(daemon).read_text(), re.MULTILINE))
        return {call: max((made[each] for each in made if each[1] == call), default=0) for call in CALLS}


async def attempt(home: Path, point: Point, dice: random.Random, report: Report) -> None:
    async with open_daemon(home, start=False) as daemon:
        written = Written(daemon, dice)
        written.grow(LINES // 2)
        await daemon.spawn(_strace(daemon, point.injection))
        await _live_through(daemon, point, written, report)
        report.reached += _is_reached(daemon, point)
        if daemon.process.returncode is not None:
            await daemon.start()
        await eventually(lambda: _has(daemon, written), f"all lines after {point}", LONG_SECONDS)
        _compare(daemon, written, report)
        code = await daemon.terminate()
        assert code == 0, f"exit {code} after {point}; {daemon.report()}"


async def _live_through(daemon: Daemon, point: Point, written: Written, report: Report) -> None:
    """Write on while it happens; a fault that does not end by itself ends after a while."""
    with trio.move_on_after(FAULT_SECONDS):
        while daemon.process.returncode is None and not (_is_reached(daemon, point) and await _has(daemon, written)):
            if len(written.uuids) < LINES:
                written.grow(1)
            await trio.sleep(0.02)
    code = daemon.process.returncode
    if code is None:
        end_tracing(daemon.process.pid)
    elif code in REFUSED and point.error and not any('"event": "ready"' in said for said in daemon.stderr):
        report.refused += 1
        assert not any("Traceback" in said for said in daemon.stderr), f"{point}: {daemon.report()}"
    else:
        assert (code, point.error) == (-signal.SIGKILL, ""), f"exit {code} at {point}; {daemon.report()}"


class Written:
    """A transcript that grows, and the ids of what was written."""

    def __init__(self, daemon: Daemon, dice: random.Random) -> None:
        self.uuids: list[str] = []
        self.path = daemon.home.root / "-home-dev-demo" / f"{SESSION}.jsonl"
        self.path.parent.mkdir(exist_ok=True)
        self._dice = dice

    def grow(self, lines: int) -> None:
        with self.path.open("ab") as file:
            for _ in range(lines):
                self.uuids.append(str(UUID(int=self._dice.getrandbits(128), version=4)))
                file.write(line("x" * self._dice.randint(0, 2000), session=SESSION, uuid=self.uuids[-1]))


def _strace(daemon: Daemon, expression: str) -> list[str]:
    """Return what goes before the command, so that calls on the database's files are looked at and nothing else."""
    database = daemon.home.database
    paths = [word for suffix in SUFFIXES for word in ("-P", f"{database}{suffix}")]
    return [*STRACE, *paths, "-e", expression, "-o", str(_trace(daemon))]


def _trace(daemon: Daemon) -> Path:
    return daemon.home.path / "trace"


def _is_reached(daemon: Daemon, point: Point) -> bool:
    if not point.error:
        return daemon.process.returncode == -signal.SIGKILL
    return _trace(daemon).exists() and b"INJECTED" in _trace(daemon).read_bytes()


async def _has(daemon: Daemon, written: Written) -> bool:
    return len(set(_stored(daemon))) >= len(written.uuids)


def _stored(daemon: Daemon) -> list[str]:
    """Return the ids of stored lines; none where there is no database yet."""
    uri = f"file:{daemon.home.database}?mode=ro"
    with suppress(sqlite3.OperationalError), closing(sqlite3.connect(uri, uri=True)) as database:
        return [str(UUID(bytes=each)) for (each,) in database.execute("SELECT uuid FROM entries")]
    return []


def _compare(daemon: Daemon, written: Written, report: Report) -> None:
    stored, wanted = Counter(_stored(daemon)), Counter(written.uuids)
    report.lost += (wanted - stored).total()
    report.doubled += (stored - wanted).total()
    with closing(sqlite3.connect(f"file:{daemon.home.database}?mode=ro", uri=True)) as database:
        report.wrong += [text for (text,) in database.execute("PRAGMA integrity_check") if text != "ok"]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.syscalls", description=__doc__)
    parser.add_argument("--points", type=int, default=60, help="how many; 0: all")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    if not can_trace():
        print("SKIPPED: strace is not there, or this user may not trace")
        return SKIPPED
    with tempfile.TemporaryDirectory(prefix="ccod-syscalls-") as folder:
        report = trio.run(run, Path(folder), arguments.points, arguments.seed)
    print(json.dumps({name: getattr(report, name) for name in report.__struct_fields__}))
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main())
