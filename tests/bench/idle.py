"""A daemon that has read everything: how fast it starts again, and what it costs while nothing happens."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter

import trio
from msgspec import Struct

from tests.bench.latency import Latency, measure
from tests.bench.process import cpu_seconds, rss
from tests.e2e.daemon import open_daemon
from tests.e2e.home import Tables

SETTLE_SECONDS = 3.0
IDLE_SECONDS = 10.0
QUIET_INTERVAL_SECONDS = 0.1
BUSY_INTERVAL_SECONDS = 0.01


class Idle(Struct):
    """Seconds from start to ready, memory in bytes and the share of a core."""

    start: float
    rss: int
    cpu: float


async def idle(home: Path, tables: Tables | None = None) -> Idle:
    """Start a daemon on what is there and watch it do nothing."""
    began = perf_counter()
    async with open_daemon(home, tables) as daemon:
        start = perf_counter() - began
        await trio.sleep(SETTLE_SECONDS)
        pid = daemon.process.pid
        before, since = cpu_seconds(pid), perf_counter()
        await trio.sleep(IDLE_SECONDS)
        cpu = (cpu_seconds(pid) - before) / (perf_counter() - since)
        return Idle(start, rss(pid), cpu)


async def live(home: Path, appends: int, interval: float) -> Latency:
    """Append to a transcript of a daemon that has nothing else to do."""
    async with open_daemon(home) as daemon:
        return await measure(daemon, interval, lambda appended: appended < appends)
