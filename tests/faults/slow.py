"""Many clients that never read beside some that do, and a flood of messages: who is let go, and what does it cost?

python -m tests.faults.slow --stuck 200
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from time import perf_counter

import trio
from msgspec import Struct

from tests.bench.process import peak_rss, rss
from tests.e2e.daemon import Daemon, free_port, open_daemon
from tests.e2e.home import Tables
from tests.e2e.lines import line
from tests.faults.raw import RawSocket

HEALTHY = 10
LINE_BYTES = 100_000
GONE_SECONDS = 10
GROWTH_MIB = 64
STOP_SECONDS = 10


class Report(Struct):
    """What came of it: seconds from the last message on until the last of the stuck was gone, and until the end."""

    stuck: int = 0
    messages: int = 0
    missed: int = 0
    still_there: int = 0
    gone_seconds: float = 0
    growth_mib: float = 0
    stop_seconds: float = 0
    exit_code: int = 0

    @property
    def violations(self) -> list[str]:
        wrong = {
            "healthy clients missed something": self.missed > 0,
            f"not all that read nothing are gone in {GONE_SECONDS} s": self.still_there > 0,
            f"memory grew by more than {GROWTH_MIB} MiB": self.growth_mib > GROWTH_MIB,
            f"the end took more than {STOP_SECONDS} s": self.stop_seconds > STOP_SECONDS or self.exit_code != 0,
        }
        return [name for name, is_so in wrong.items() if is_so]


class Healthy:
    """Reads all, and notes which messages came."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    async def run(self, client: RawSocket) -> None:
        with suppress(EOFError):
            await self._listen(client)
        await client.close()

    async def _listen(self, client: RawSocket) -> None:
        while True:
            text = await client.text()
            if b'"message_added"' in text[:200]:
                self.heard.append(json.loads(text)["data"]["message"]["content"][:20])
            elif text.startswith(b'{"type":"ping"'):
                await client.say('{"type":"pong"}')


async def slow(home: Path, stuck: int, megabytes: int) -> Report:
    """Run the whole experiment on folders below `home`."""
    port = free_port()
    tables: Tables = {
        "http": {"port": port, "host": "127.0.0.1"},
        "ws": {"max_connections": 1000, "max_per_address": 1000},
    }
    count = megabytes * 1_000_000 // LINE_BYTES
    report = Report(stuck=stuck, messages=count)
    async with open_daemon(home, tables) as daemon, trio.open_nursery() as nursery:
        path = daemon.home.root / "-home-dev-demo" / "5f0c7a52-0000-4000-8000-000000000001.jsonl"
        path.parent.mkdir()
        deaf = [await RawSocket.subscribed(port, "conversations", window=4096) for _ in range(stuck)]
        healthy = [Healthy() for _ in range(HEALTHY)]
        for one in healthy:
            nursery.start_soon(one.run, await RawSocket.subscribed(port, "conversations"))
        await _write(path, 20, "warm-up")
        await _all_heard(healthy, 20)
        before = rss(daemon.process.pid)
        await _write(path, count, "flood")
        await _all_heard(healthy, 20 + count)
        report.missed = sum(20 + count - len(set(one.heard)) for one in healthy)
        report.gone_seconds = await _gone(daemon, port)
        report.still_there = _connections(port) - HEALTHY
        report.growth_mib = round((peak_rss(daemon.process.pid) - before) / 2**20, 1)
        began = perf_counter()
        report.exit_code = await daemon.terminate()
        report.stop_seconds = round(perf_counter() - began, 2)
        for client in deaf:
            await client.close()
        nursery.cancel_scope.cancel()
    return report


async def _write(path: Path, count: int, word: str) -> None:
    for number in range(count):
        data = line(f"{word} {number} ".ljust(20) + "x" * LINE_BYTES, session=path.stem)
        with path.open("ab", buffering=0) as file:
            file.write(data)
        await trio.sleep(0.005)


async def _all_heard(healthy: list[Healthy], count: int) -> None:
    with trio.move_on_after(300):
        while any(len(one.heard) < count for one in healthy):
            await trio.sleep(0.05)


async def _gone(daemon: Daemon, port: int) -> float:
    """Wait until only the healthy are connected, and return how long that took."""
    began = perf_counter()
    with trio.move_on_after(GONE_SECONDS):
        while _connections(port) > HEALTHY:
            await trio.sleep(0.05)
    assert daemon.process.returncode is None, daemon.report()
    return round(perf_counter() - began, 2)


def _connections(port: int) -> int:
    """How many connections are established on the daemon's side."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(row[1].endswith(f":{port:04X}") and row[3] == "01" for row in rows)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.slow", description=__doc__)
    parser.add_argument("--stuck", type=int, default=200, help="and a quarter as many megabytes")
    parser.add_argument("--seed", type=int, default=0, help="not used: nothing here is left to chance")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ccod-slow-") as home:
        report = trio.run(slow, Path(home), arguments.stuck, arguments.stuck // 4)
    print(json.dumps({name: getattr(report, name) for name in report.__struct_fields__}))
    for violation in report.violations:
        print(f"VIOLATION: {violation}")
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main())
