"""Clients that are slow on purpose are let go in bounded time, while another is served as fast as ever.

python -m tests.faults.slowness

It runs slowhttptest, which is a package of Debian; without it nothing is tried, and that is said.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import trio
from msgspec import Struct

from tests.e2e.daemon import Daemon, open_daemon
from tests.e2e.lines import SESSION, line

SKIPPED = 77
CONNECTIONS = 200
SLOW_MS = 500
CALM_SECONDS = 3
LONG_ANSWER = f"/api/conversations/{SESSION}/messages?limit=60"


class Attack(Struct, frozen=True):
    """Options of slowhttptest, and the seconds after which no connection of it may be left."""

    name: str
    path: str
    options: Sequence[str]
    seconds: int


ATTACKS = (
    Attack("headers", "/health", ("-H", "-i", "2", "-x", "24"), 20),
    Attack("bodies", "/api/projects", ("-B", "-s", "8192", "-t", "POST", "-i", "3", "-x", "10"), 30),
    Attack("reading", LONG_ANSWER, ("-X", "-w", "10", "-y", "20", "-n", "5", "-z", "32"), 60),
)


class Outcome(Struct):
    """How long connections of an attack were held, and what others waited meanwhile."""

    held_seconds: float
    waited_ms: list[float]

    def faults(self, attack: Attack, calm: Outcome) -> list[str]:
        """Say what is not as it should be; `calm` is what others waited while nobody attacked."""
        more = self.percentile(99) - calm.percentile(99)
        return [
            *([f"held for {self.held_seconds:.0f} s"] if self.held_seconds > attack.seconds else []),
            *([f"others waited {more:.0f} ms more"] if more > SLOW_MS else []),
        ]

    def percentile(self, percent: int) -> float:
        ordered = sorted(self.waited_ms)
        return ordered[(len(ordered) - 1) * percent // 100]


def open_sockets(daemon: Daemon) -> int:
    """Return how many sockets the daemon holds."""
    links = (link for link in Path(f"/proc/{daemon.process.pid}/fd").iterdir())
    found = 0
    for link in links:
        try:
            found += str(link.readlink()).startswith("socket:")
        except FileNotFoundError:
            continue
    return found


async def ask(daemon: Daemon, waited_ms: list[float]) -> None:
    """Ask as a client that is not slow, and note how long each answer takes."""
    async with httpx.AsyncClient(verify=False, trust_env=False, timeout=30) as client:
        while True:
            began = trio.current_time()
            (await client.get(f"{daemon.url}/health")).raise_for_status()
            waited_ms.append(1000 * (trio.current_time() - began))
            await trio.sleep(0.02)


async def stay_calm(daemon: Daemon) -> Outcome:
    """Ask while nobody attacks."""
    outcome = Outcome(0, [])
    with trio.move_on_after(CALM_SECONDS):
        await ask(daemon, outcome.waited_ms)
    return outcome


async def attack(daemon: Daemon, plan: Attack) -> Outcome:
    """Attack until all connections are let go, and ask as another client meanwhile."""
    before = open_sockets(daemon)
    count = str(CONNECTIONS)
    command = ["slowhttptest", "-c", count, "-r", count, "-l", str(plan.seconds), "-p", "5", *plan.options]
    outcome = Outcome(0, [])
    async with trio.open_nursery() as nursery:
        began = trio.current_time()
        process = await trio.lowlevel.open_process(
            [*command, "-u", f"{daemon.url}{plan.path}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        nursery.start_soon(ask, daemon, outcome.waited_ms)
        try:
            with trio.fail_after(plan.seconds):
                while open_sockets(daemon) < before + CONNECTIONS // 2:
                    await trio.sleep(0.05)
            with trio.move_on_after(2 * plan.seconds):
                while open_sockets(daemon) > before + 5:
                    await trio.sleep(0.1)
            outcome.held_seconds = trio.current_time() - began
        finally:
            process.kill()
            with trio.CancelScope(shield=True):
                await process.wait()
        nursery.cancel_scope.cancel()
    return outcome


async def main() -> int:
    if shutil.which("slowhttptest") is None:
        print("SKIPPED: slowhttptest is not installed (apt install slowhttptest); slow clients were not tried")
        return SKIPPED
    failed = False
    with TemporaryDirectory() as folder:
        async with open_daemon(Path(folder), {"http": {"host": "127.0.0.1"}}) as daemon:
            transcript = daemon.home.root / "-home-dev-demo" / f"{SESSION}.jsonl"
            transcript.parent.mkdir()
            transcript.write_bytes(b"".join(line("long " * 2000) for _ in range(60)))
            with trio.fail_after(30):
                while (await daemon.get("/api/conversations"))["pagination"]["total"] == 0:
                    await trio.sleep(0.1)
            calm = await stay_calm(daemon)
            print(f"nobody is slow: p50 {calm.percentile(50):.0f} ms, p99 {calm.percentile(99):.0f} ms", flush=True)
            for plan in ATTACKS:
                outcome = await attack(daemon, plan)
                faults = outcome.faults(plan, calm)
                failed |= bool(faults)
                print(
                    f"slow {plan.name:8} {CONNECTIONS} connections let go after {outcome.held_seconds:4.0f} s, others "
                    f"waited p50 {outcome.percentile(50):.0f} ms, p99 {outcome.percentile(99):.0f} ms"
                    f"  {'FAIL: ' + ', '.join(faults) if faults else 'pass'}",
                    flush=True,
                )
    return int(failed)


if __name__ == "__main__":
    sys.exit(trio.run(main))
