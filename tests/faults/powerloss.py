"""Cut the power at random moments of a daemon's life, and let what was not synced be lost in part: what is there after?

    python -m tests.faults.powerloss --cuts 200 --seed 1

A daemon is traced in each of its lives, from the first start to the last stop. Each cut is laid out as the disk might
be then, and a daemon starts on it: no database may be damaged, nobody may have to mend anything, and from the
transcripts all is read again. What was promised to outlive it (accounts, logins, the key that signs tokens) must be
there if it was told before; a number that a subscriber heard must not be given again.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import httpx
import trio
from msgspec import Struct

from ccod.testing.waiting import eventually
from tests.e2e.daemon import Daemon, open_daemon
from tests.e2e.home import Tables
from tests.faults.crash import Report as Stored
from tests.faults.crash import Transcript, all_read, check, compare
from tests.faults.lossy_disk import Fate, LossyDisk
from tests.faults.rows import rows
from tests.faults.tracing import Change, can_trace, changes, traced

SKIPPED = 77
FILES = 3
LIVES = 3
LIFE_SECONDS = 1.5
ACCOUNTS = 2
EPOCH = "SELECT value FROM meta WHERE key = 'epoch'"


class Report(Struct):
    """What came of it. `gone` are logins that were told of and then unknown; `again` numbers that were given twice."""

    stored: Stored
    cuts: int = 0
    changes: int = 0
    synced: int = 0
    behind: int = 0
    gone: int = 0
    again: int = 0
    wrong: list[str] = []

    @property
    def violations(self) -> int:
        return self.stored.violations + self.gone + self.again + len(self.wrong)


class Told(Struct):
    """What was written, and what was told when: numbers of events with their epoch, and tokens of logins."""

    transcripts: list[Transcript]
    numbers: list[tuple[float, str, int]] = []
    logins: list[tuple[float, str]] = []


async def powerloss(home: Path, cuts: int, seed: int, lives: int = LIVES) -> Report:
    """Run the whole experiment on folders below `home`."""
    dice = random.Random(seed)
    report = Report(stored=Stored())
    tables: Tables = {
        "http": {"socket": str(home / "ccod.sock"), "limits": {"window": 0.0}},
        "jwt": {"bcrypt_rounds": 4},
    }
    async with open_daemon(home, tables, start=False) as daemon:
        folder = daemon.home.root / "-home-dev-demo"
        folder.mkdir()
        transcripts = [Transcript(folder, dice) for _ in range(FILES)]
        told, done = Told(transcripts), []
        for life in range(lives):
            trace = home / f"trace-{life}"
            await _live(daemon, trace, told, dice)
            done += list(changes(trace, daemon.home.database.parent))
        for transcript in transcripts:
            transcript.finish()
        (home / "kept").hardlink_to(daemon.home.database)
        report.changes = len(done)
        report.synced = sum(change.kind == "sync" for change in done)
        points = set(dice.sample(range(1, len(done) + 1), min(cuts, len(done))))
        disk = LossyDisk()
        for number, change in enumerate(done, 1):
            disk.take(change)
            if number in points:
                await _cut(daemon, disk.after_a_cut(Fate.drawn(dice)), change, told, report)
    return report


async def _live(daemon: Daemon, trace: Path, told: Told, dice: random.Random) -> None:
    """Start, let files grow and accounts be made while somebody listens, empty the journal at times, and stop."""
    transcripts = told.transcripts
    for transcript in transcripts:
        transcript.grow(dice.randint(0, 30))
    await daemon.start(traced(trace))
    ((epoch,),) = rows(daemon.home.database, EPOCH)
    async with daemon.websocket("conversations") as listener, trio.open_nursery() as nursery:

        async def hear() -> None:
            while True:
                heard = await listener.next(lambda message: "seq" in message, seconds=600)
                told.numbers.append((time.time(), epoch, heard["seq"]))

        nursery.start_soon(hear)
        nursery.start_soon(_register, daemon, told, dice.uniform(0, LIFE_SECONDS))
        with trio.move_on_after(LIFE_SECONDS):
            while True:
                dice.choice(transcripts).grow(dice.randint(1, 4))
                await trio.sleep(dice.uniform(0, 0.1))
        await eventually(lambda: all_read(daemon.home.database, transcripts), "end of the reading", 60)
        nursery.cancel_scope.cancel()
    assert await daemon.terminate() == 0, daemon.report()


async def _register(daemon: Daemon, told: Told, after: float) -> None:
    """Make accounts after so many seconds; nothing else is synced at once."""
    await trio.sleep(after)
    async with _owner(daemon) as owner:
        for _ in range(ACCOUNTS):
            # Never one that the daemon may have heard of before, without that its answer came here.
            email = f"{uuid4().hex}@example.org"
            said = await owner.post("/auth/register", json={"email": email, "password": "four plain words together"})
            assert said.status_code == 201, said.text
            told.logins.append((time.time(), said.json()["data"]["accessToken"]))
            await trio.sleep(0.2)
        emptied = await owner.post("/api/storage/vacuum")
        assert emptied.status_code == 200, emptied.text


@asynccontextmanager
async def _owner(daemon: Daemon) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.AsyncHTTPTransport(uds=str(daemon.home.path / "ccod.sock"))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=60) as owner:
        yield owner


async def _cut(daemon: Daemon, files: dict[str, bytes], last: Change, told: Told, report: Report) -> None:
    """Start a daemon on what the disk holds; what was told before the last change began must hold."""
    report.cuts += 1
    database = daemon.home.database
    _lay_out(files, database, daemon.home.path / "kept")
    epoch, number = _look(database, report.stored)
    heard = max((seq for at, of, seq in told.numbers if at < last.at and of == epoch), default=0)
    report.behind += number < heard
    try:
        await daemon.start()
        await eventually(lambda: all_read(database, told.transcripts), "end of the reading", 60)
        for transcript in told.transcripts:
            await compare(daemon, transcript, report.stored)
        for at, token in told.logins:
            known = await daemon.status("/auth/profile", Authorization=f"Bearer {token}") == 200
            report.gone += at < last.at and not known
        report.again += _given_again(database, epoch, number, heard)
        assert await daemon.terminate() == 0, f"exit {daemon.process.returncode}"
    except AssertionError as error:
        report.wrong.append(f"cut after {last.kind} of {last.path!r}: {' '.join(str(error).split())[-600:]}")
        await daemon.end()
    check(database, report.stored)


def _lay_out(files: dict[str, bytes], database: Path, kept: Path) -> None:
    """Put the files where they were: the database as the same file, or else the daemon would take it for a copy."""
    shutil.rmtree(database.parent)
    database.parent.mkdir(mode=0o700)
    for name, content in files.items():
        path = database.with_name(name)
        if path == database:
            path.hardlink_to(kept)
        path.touch(mode=0o600)
        path.write_bytes(content)


def _look(database: Path, stored: Stored) -> tuple[str, int]:
    """Check a copy of the database; return its epoch and its last number, nothing where there is none."""
    with tempfile.TemporaryDirectory() as folder:
        for suffix in ("", "-wal", "-journal"):
            if (source := database.with_name(database.name + suffix)).exists():
                shutil.copy(source, folder)
        copy = Path(folder) / database.name
        if not copy.exists():
            return "", 0
        check(copy, stored)
        if not rows(copy, "SELECT 1 FROM sqlite_master WHERE name = 'events'"):
            return "", 0
        ((number,),) = rows(copy, "SELECT coalesce(max(seq), 0) FROM events")
        ((epoch,),) = rows(copy, EPOCH) or [("",)]
        return epoch, number


def _given_again(database: Path, epoch: str, number: int, heard: int) -> int:
    """Count the numbers that were given after the cut although they had been heard before it."""
    if rows(database, EPOCH) != [(epoch,)]:
        return 0
    return len(rows(database, "SELECT 1 FROM events WHERE seq > ? AND seq <= ?", number, heard))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.powerloss", description=__doc__)
    parser.add_argument("--cuts", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    if not can_trace():
        print("SKIPPED: strace is not there, or this user may not trace")
        return SKIPPED
    with tempfile.TemporaryDirectory(prefix="ccod-powerloss-") as home:
        report = trio.run(powerloss, Path(home), arguments.cuts, arguments.seed)
    shown = {name: getattr(report, name) for name in report.__struct_fields__ if name != "stored"}
    stored = {name: getattr(report.stored, name) for name in ("lines", "lost", "doubled", "strange", "damaged")}
    print(json.dumps(shown | stored))
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main())
