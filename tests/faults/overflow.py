"""What inotify drops, or does not give at all, is found by looking at every file, and that is said.

    python -m tests.faults.overflow --files 20000 --seed 1

The daemon is stopped while more happens than the kernel's queue holds; then calls of inotify are refused by strace.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import httpx
import trio
from msgspec import Struct

from ccod.testing.waiting import eventually
from tests.e2e.daemon import Daemon, open_daemon
from tests.e2e.lines import line
from tests.faults.rows import rows
from tests.faults.tracing import STRACE, can_trace, end_tracing
from tests.plugins.metrics.scraping import Scrape

QUEUE = Path("/proc/sys/fs/inotify/max_queued_events")
MOST_QUEUED = 200_000
SKIPPED = 77
FOLDERS = 10
INTERVAL = 30.0
"""No look at every file is due sooner: what is found before that is found because the kernel told of the overflow."""
FLOODED = "-home-dev-0"
"""The folder in which the flood happens: it must be watched before."""
SOON = 0.5
LOGGED = "records may be late or missing"
PATIENCE = 600.0


class Refusal(Struct, frozen=True):
    """A call that the kernel refuses, and what `/health` must say then."""

    call: str
    error: str
    code: str


REFUSALS = (
    Refusal("inotify_init1", "EMFILE", "WATCH_UNAVAILABLE"),
    Refusal("inotify_add_watch", "ENOSPC", "WATCH_LIMIT"),
)


class Report(Struct):
    """What came of it, in transcripts; times from the moment at which the daemon went on."""

    files: int = 0
    lost: int = 0
    doubled: int = 0
    overflows: int = 0
    found_seconds: float = 0
    stored_seconds: float = 0
    refusals: list[str] = []
    skipped: list[str] = []
    wrong: list[str] = []

    @property
    def violations(self) -> int:
        return self.lost + self.doubled + len(self.wrong)


class Files:
    """Makes transcripts of one line each."""

    def __init__(self, root: Path, dice: random.Random) -> None:
        self.uuids: list[str] = []
        self._root = root
        self._dice = dice

    def make(self, count: int) -> None:
        for _ in range(count):
            session, uuid = (str(UUID(int=self._dice.getrandbits(128), version=4)) for _ in range(2))
            path = self._root / f"-home-dev-{self._dice.randrange(FOLDERS)}" / f"{session}.jsonl"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(line("found", session=session, uuid=uuid))
            self.uuids.append(uuid)


async def overflow(home: Path, files: int, dice: random.Random, report: Report) -> None:
    """Let the kernel's queue run over while files are made."""
    queue = int(QUEUE.read_text())  # noqa: ASYNC240
    if queue > MOST_QUEUED:
        report.skipped.append(f"overflow: this kernel keeps {queue} events, too many to make here")
        return
    tables = {"claude": {"scan_interval": INTERVAL, "scan_interval_idle": INTERVAL}}
    async with open_daemon(home, tables, start=False) as daemon:
        made = Files(daemon.home.root, dice)
        (daemon.home.root / FLOODED).mkdir()
        made.make(FOLDERS)
        await daemon.start()
        await eventually(lambda: _has(daemon, made), "first files")
        daemon.process.send_signal(signal.SIGSTOP)
        made.make(files // 2)
        _flood(daemon.home.root, queue)
        made.make(files - files // 2)
        daemon.process.send_signal(signal.SIGCONT)
        began = trio.current_time()
        await eventually(lambda: _follows(daemon, len(made.uuids)), "sight of all files", PATIENCE)
        report.found_seconds = round(trio.current_time() - began, 2)
        await eventually(lambda: _has(daemon, made), "all lines stored", PATIENCE)
        report.stored_seconds = round(trio.current_time() - began, 2)
        report.overflows = int((await metrics_of(daemon)).sum("ccod_watch_overflows_total"))
        report.wrong += ["no overflow was counted"] * (not report.overflows)
        report.wrong += ["found by the next look alone"] * (report.found_seconds > INTERVAL)
        await _end(daemon, made, report)


def _flood(root: Path, queue: int) -> None:
    """Make more events than the queue holds, of which none is worth anything."""
    for _ in range(queue // 2 + 1):
        path = root / FLOODED / "nothing.tmp"
        path.touch()
        path.unlink()


async def refuse(home: Path, refusal: Refusal, files: int, dice: random.Random, report: Report) -> None:
    """Refuse a call of inotify for a while."""
    name = f"{refusal.call} {refusal.error}"
    async with open_daemon(home, {"claude": {"scan_interval": SOON}}, start=False) as daemon:
        made = Files(daemon.home.root, dice)
        made.make(FOLDERS)
        inject = f"inject={refusal.call}:error={refusal.error}"
        await daemon.start([*STRACE, "-e", f"trace={refusal.call}", "-e", inject, "-o", os.devnull])
        await eventually(lambda: _says(daemon, [refusal.code]), f"health that says {refusal.code}")
        made.make(files)
        await eventually(lambda: _has(daemon, made), f"all files under {name}", PATIENCE)
        report.wrong += [f"{name}: not in the log"] * (not any(LOGGED in said for said in daemon.stderr))
        end_tracing(daemon.process.pid)
        await eventually(lambda: _says(daemon, []), f"health after {name}")
        made.make(1)
        await eventually(lambda: _has(daemon, made), f"a file after {name}")
        await _end(daemon, made, report)
        report.refusals.append(name)


async def run(folder: Path, files: int, seed: int) -> Report:
    """Try both."""
    dice, report = random.Random(seed), Report()
    await overflow(folder / "overflow", files, dice, report)
    if not can_trace():
        report.skipped.append("refusals: strace is not there, or this user may not trace")
        return report
    for refusal in REFUSALS:
        await refuse(folder / refusal.call, refusal, min(files, 100), dice, report)
    return report


async def _end(daemon: Daemon, made: Files, report: Report) -> None:
    """Stop, and compare what was made with what is stored."""
    code = await daemon.terminate()
    report.wrong += [f"exit {code}"] * (code != 0) + [said for said in daemon.stderr if "Traceback" in said]
    stored, wanted = Counter(_stored(daemon)), Counter(made.uuids)
    report.files += wanted.total()
    report.lost += (wanted - stored).total()
    report.doubled += (stored - wanted).total()


def _stored(daemon: Daemon) -> Sequence[str]:
    return [str(UUID(bytes=uuid)) for (uuid,) in rows(daemon.home.database, "SELECT uuid FROM entries")]


async def _has(daemon: Daemon, made: Files) -> bool:
    ((count,),) = rows(daemon.home.database, "SELECT count(*) FROM entries")
    return bool(count >= len(made.uuids))


async def _follows(daemon: Daemon, count: int) -> bool:
    await trio.sleep(0.2)
    return (await metrics_of(daemon)).sum("ccod_watch_files") >= count


async def metrics_of(daemon: Daemon) -> Scrape:
    url = (await daemon.logged("listening too"))["url"]
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        return Scrape((await client.get(f"{url.rstrip('/')}/metrics")).text)


async def _says(daemon: Daemon, codes: list[str]) -> bool:
    health = (await daemon.get("/health"))["data"]
    status = "degraded" if codes else "healthy"
    return [each["code"] for each in health["details"]["reasons"]] == codes and health["status"] == status


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.overflow", description=__doc__)
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    if not QUEUE.exists():
        print("SKIPPED: inotify is Linux's")
        return SKIPPED
    with tempfile.TemporaryDirectory(prefix="ccod-overflow-") as folder:
        report = trio.run(run, Path(folder), arguments.files, arguments.seed)
    print(json.dumps({name: getattr(report, name) for name in report.__struct_fields__}))
    if report.violations:
        return 1
    return SKIPPED if report.skipped else 0


if __name__ == "__main__":
    sys.exit(main())
