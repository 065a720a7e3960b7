"""A heavy user's day in a few minutes, on loopback: 20 sessions append, 100 clients listen, 200 requests a second.

    python -m tests.bench.load --minutes 10 --size L

A history is read meanwhile, for as long as it takes. The first quarter of the time is not counted in the slopes.
The exit code is 1 where a request failed, a client was cut off, or a message did not reach all.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import trio
from msgspec import Struct

from tests.bench.corpus import SEED, SIZES, build
from tests.bench.ingest import backfilled, roots
from tests.bench.keepalive import KeepAlive, Times
from tests.bench.mixed import Tally, append, ask, listen, slope
from tests.bench.process import cpu_seconds, open_files, rss, threads
from tests.e2e.daemon import Daemon, open_daemon

RARE = (
    "/api/analytics/overview?range=30d",
    "/api/usage/daily?range=7d",
    "/api/usage/blocks",
    "/api/search?q=say+there",
)
OFTEN = (
    "/api/conversations",
    "/api/conversations/{id}",
    "/api/conversations/{id}/messages?limit=20",
    "/api/conversations?status=active&limit=50",
    "/api/projects",
    "/health",
)
ROUNDS = 8
"""How often all of OFTEN is asked for before one of RARE is."""
CONNECTIONS = 20
LINE_SECONDS = 1.0
KNOWN_SECONDS = 60.0
OK = 200
SETTLE_SECONDS = 20.0


class Day(Struct, frozen=True):
    """How much happens."""

    minutes: float = 1.0
    sessions: int = 20
    clients: int = 100
    rate: float = 200.0
    size: int = SIZES["S"]
    seed: int = SEED


class Sample(Struct, frozen=True):
    """The daemon at one moment; sizes in bytes."""

    minute: float
    rss: int
    files: int
    wal: int
    threads: int


class Report(Struct):
    tally: Tally
    samples: list[Sample]
    cpu: float
    backfill_seconds: float | None = None

    def per_minute(self, name: str, warm_up: float) -> float:
        """Return how fast it grows after the first `warm_up` minutes."""
        return slope([(each.minute, float(getattr(each, name))) for each in self.samples if each.minute >= warm_up])


async def load(home: Path, day: Day) -> Report:
    """Live through the day on folders below `home`."""
    corpus = await trio.to_thread.run_sync(build, home / "corpus", day.size, day.seed)
    tables = dict(roots(corpus, home / "projects")) | {
        "http": {"port": 0, "limits": {"window": 0.0}},
        "ws": {"max_connections": day.clients, "max_per_address": day.clients},
    }
    async with open_daemon(home, tables) as daemon:
        report = Report(Tally(Times(), Times()), [], 0.0)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_backfill, daemon, report)
            await _live(daemon, day, report)
            nursery.cancel_scope.cancel()
        assert await daemon.terminate() == 0
    return report


async def _live(daemon: Daemon, day: Day, report: Report) -> None:
    tally, port = report.tally, urlsplit(daemon.url).port or 0
    folder = daemon.home.root / "-home-dev-load"
    folder.mkdir()
    sessions = [str(uuid4()) for _ in range(day.sessions)]
    used, began = cpu_seconds(daemon.process.pid), time.monotonic()
    async with trio.open_nursery() as listeners:
        for number in range(day.clients):
            await listeners.start(partial(listen, port, tally, times=number == 0))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_watch, daemon, report.samples)
            for session in sessions:
                nursery.start_soon(append, folder, session, LINE_SECONDS, tally)
                await trio.sleep(LINE_SECONDS / day.sessions)  # people do not write all at the same moment
            await _known(port, sessions)
            nursery.start_soon(ask, port, asked(sessions), day.rate, CONNECTIONS, tally)
            await trio.sleep(day.minutes * 60)
            nursery.cancel_scope.cancel()
        report.cpu = (cpu_seconds(daemon.process.pid) - used) / (time.monotonic() - began)
        with trio.move_on_after(SETTLE_SECONDS):
            while tally.heard < tally.appended * day.clients:
                await trio.sleep(0.1)
        listeners.cancel_scope.cancel()


async def _known(port: int, sessions: Sequence[str]) -> None:
    """Wait until each session can be asked for."""
    with trio.fail_after(KNOWN_SECONDS):
        async with KeepAlive(port) as client:
            for session in sessions:
                while (await client.get(f"/api/conversations/{session}")).status != OK:
                    await trio.sleep(0.1)


def asked(sessions: Sequence[str]) -> list[str]:
    """Return what is asked for in turn: mostly what goes on, now and then the sums of all."""
    found = []
    for number, session in enumerate(sessions):
        found += [path.format(id=session) for path in OFTEN] * ROUNDS
        found.append(RARE[number % len(RARE)])
    return found


async def _watch(daemon: Daemon, samples: list[Sample]) -> None:
    pid, began = daemon.process.pid, time.monotonic()
    wal = daemon.home.database.with_name(f"{daemon.home.database.name}-wal")
    while True:
        size = wal.stat().st_size if wal.exists() else 0
        samples.append(Sample((time.monotonic() - began) / 60, rss(pid), open_files(pid), size, threads(pid)))
        await trio.sleep(1)


async def _backfill(daemon: Daemon, report: Report) -> None:
    began = time.monotonic()
    await backfilled(daemon)
    report.backfill_seconds = time.monotonic() - began


def lines(report: Report, day: Day) -> list[str]:
    """Return the figures as a table."""
    tally, last, warm_up = report.tally, report.samples[-1], day.minutes / 4
    done = f"{report.backfill_seconds:.0f} s" if report.backfill_seconds is not None else "not done"
    requests, delivery = tally.requests, tally.delivery
    heard = f"{tally.heard} of {tally.appended * day.clients}"
    journal = f"{last.wal / 2**20:.1f} MiB, {report.per_minute('wal', warm_up) / 2**20:+.2f} MiB/min"
    memory = f"{last.rss / 2**20:.0f} MiB, {report.per_minute('rss', warm_up) / 2**20:+.2f} MiB/min"
    return [
        "| measure | value |",
        "|---|---|",
        f"| requests, errors, error rate | {len(requests.seconds)}, {len(tally.errors)}, {tally.error_rate:.4%} |",
        f"| requests: p50, p99 ms | {_ms(requests)} |",
        f"| append → WebSocket: p50, p99 ms | {_ms(delivery)} |",
        f"| messages heard, by all clients, times one lagged | {heard}, {tally.lagged} |",
        f"| backfill of {day.size / 1e6:.0f} MB | {done} |",
        f"| memory: last, slope | {memory} |",
        f"| open files: last, slope | {last.files}, {report.per_minute('files', warm_up):+.2f}/min |",
        f"| journal of the database: last, slope | {journal} |",
        f"| processor | {report.cpu:.0%} of a core |",
    ]


def is_sound(report: Report, day: Day) -> bool:
    return not report.tally.errors and report.tally.heard == report.tally.appended * day.clients


def _ms(times: Times) -> str:
    return f"{times.quantile(0.5) * 1000:.1f}, {times.quantile(0.99) * 1000:.1f}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.load", description=__doc__)
    parser.add_argument("--minutes", type=float, default=Day().minutes)
    parser.add_argument("--sessions", type=int, default=Day().sessions, help="that append a line a second")
    parser.add_argument("--clients", type=int, default=Day().clients, help="that listen at the WebSocket")
    parser.add_argument("--rate", type=float, default=Day().rate, help="requests a second")
    parser.add_argument("--size", choices=SIZES, default="S", help="of the history that is read meanwhile")
    arguments = parser.parse_args()
    day = Day(arguments.minutes, arguments.sessions, arguments.clients, arguments.rate, SIZES[arguments.size])
    with tempfile.TemporaryDirectory(prefix="ccod-load-") as folder:
        report = trio.run(load, Path(folder), day)
    print("\n".join(lines(report, day)))
    for error in report.tally.errors[:10]:
        print(error)
    return 0 if is_sound(report, day) else 1


if __name__ == "__main__":
    sys.exit(main())
