"""What it costs to read a whole corpus for the first time: the daemon, and the floor program beside it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import msgspec
import trio
from msgspec import Struct

from ccod.testing.waiting import eventually
from tests.bench.corpus import Corpus
from tests.bench.latency import Latency, measure
from tests.bench.process import cpu_seconds, peak_rss
from tests.e2e.daemon import Daemon, open_daemon
from tests.e2e.home import Tables

LIMIT_SECONDS = 3600.0
POLL_SECONDS = 0.5
LIVE_INTERVAL_SECONDS = 0.05


class Cost(Struct):
    """What one ingest took; `peak_rss` and the floor's `database` in bytes. `messages` is what a reader finds then.

    `cpu` is the daemon's own processor time, `beside` that of a server in which it stores.
    """

    seconds: float
    cpu: float
    peak_rss: int
    database: int = 0
    messages: int = 0
    beside: float = 0.0


async def pairs(folder: Path, corpus: Corpus, rounds: int) -> tuple[Cost, Cost]:
    """Run floor and daemon in turn, `rounds` times; return the cheapest run of each, which noise touched least."""
    floors, colds = [], []
    for number in range(rounds):
        floors.append(await trio.to_thread.run_sync(floor, corpus, folder / f"floor-{number}.db"))
        colds.append(await cold(folder / f"cold-{number}", corpus))
    return min(floors, key=lambda cost: cost.cpu), min(colds, key=lambda cost: cost.cpu)


async def cold(home: Path, corpus: Corpus, cpu_beside: Callable[[], float] = lambda: 0.0) -> Cost:
    """Let a new daemon that is ready read the corpus, and nothing else happen."""
    async with open_daemon(home, roots(corpus)) as daemon:
        pid = daemon.process.pid
        began, used, used_beside = perf_counter(), cpu_seconds(pid), cpu_beside()
        await backfilled(daemon)
        cost = Cost(perf_counter() - began, cpu_seconds(pid) - used, peak_rss(pid), beside=cpu_beside() - used_beside)
        conversations = await daemon.items("/api/conversations")
        cost.messages = sum(conversation["messageCount"] for conversation in conversations)
        await daemon.terminate()
    return cost


async def live_during_cold(home: Path, corpus: Corpus) -> Latency:
    """Let a new daemon read the corpus, and measure how soon it tells of lines that are appended meanwhile."""
    async with open_daemon(home, roots(corpus, home / "projects")) as daemon, trio.open_nursery() as nursery:
        done = trio.Event()

        async def wait() -> None:
            await backfilled(daemon)
            done.set()

        nursery.start_soon(wait)
        return await measure(daemon, LIVE_INTERVAL_SECONDS, lambda _: not done.is_set())


def floor(corpus: Corpus, database: Path) -> Cost:
    """Run the floor program on the corpus."""
    command = [sys.executable, "-m", "tests.bench.floor", str(corpus.root), str(database)]
    done = subprocess.run(command, check=True, capture_output=True, timeout=LIMIT_SECONDS)
    cost = msgspec.json.decode(done.stdout, type=Cost)
    cost.database = sum(path.stat().st_size for path in database.parent.glob(f"{database.name}*"))
    return cost


async def backfilled(daemon: Daemon) -> None:
    """Wait until the daemon has read all that was there when it started."""

    async def all_read() -> bool:
        await trio.sleep(POLL_SECONDS)
        progress = (await daemon.get("/health"))["data"]["details"]["backfill"]
        return bool(progress["state"] == "done")

    await eventually(all_read, "end of the backfill", LIMIT_SECONDS)


def roots(corpus: Corpus, *others: Path) -> Tables:
    return {"claude": {"roots": [str(root) for root in (*others, corpus.root)]}}
