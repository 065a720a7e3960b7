"""Measure ccod and agentsview in turn, in one run on one corpus: reading all of it, starting again, one line more.

    python -m tests.bench.peers --size M --rounds 2

Both have read everything once nothing is left to be found by full text. agentsview has merged messages and no output
of tools in its index; ccod has both, and the transcripts themselves.
"""

# ruff: noqa: ASYNC240 - what a bench does to small local files takes no time

from __future__ import annotations

import argparse
import math
import tempfile
from pathlib import Path
from time import perf_counter
from uuid import uuid4

import trio
from msgspec import Struct

from tests.bench import agentsview, idle, ingest
from tests.bench.corpus import SEED, SIZES, Corpus, build
from tests.bench.ingest import Cost
from tests.bench.process import cpu_seconds, peak_rss
from tests.bench.size import indexed
from tests.e2e.daemon import open_daemon
from tests.e2e.lines import line

APPENDS = 20
PAUSE_SECONDS = 2.0
LOOK_SECONDS = 0.005
LOST_SECONDS = 60.0
STILL_SECONDS = 3.0
STILL_SHARE = 0.02
"""A program that takes less of a core than this for three seconds has done all that it had to do."""


class Side(Struct):
    """What one program took; `restart` is a start with nothing new, `appended` the p50 and worst seconds of a line."""

    cold: Cost
    restart: Cost
    appended: tuple[float, float]


async def compare(folder: Path, corpus: Corpus, rounds: int) -> tuple[Side, Side]:
    """Run both in turn, `rounds` times; return the cheapest of each. Raises agentsview.Missing."""
    program = agentsview.installed()
    folder.mkdir(exist_ok=True)
    own, other = [], []
    for number in range(rounds):
        own.append(await _own(folder / f"own-{number}", corpus))
        other.append(await _other(program, folder / f"other-{number}", corpus))
    return min(own, key=lambda side: side.cold.cpu), min(other, key=lambda side: side.cold.cpu)


async def _own(home: Path, corpus: Corpus) -> Side:
    began = perf_counter()
    async with open_daemon(home, ingest.roots(corpus)) as daemon:
        await ingest.backfilled(daemon)
        await indexed(daemon)
        cold = _cost(began, daemon.process.pid)
        await daemon.terminate()
    cold.database = sum(path.stat().st_size for path in daemon.home.database.parent.glob("ccod.db*"))
    began = perf_counter()
    async with open_daemon(home, ingest.roots(corpus)) as daemon:
        restart = _cost(began, daemon.process.pid)
        await daemon.terminate()
    live = await idle.live(home.with_name(f"{home.name}-live"), APPENDS, PAUSE_SECONDS / 10)
    return Side(cold, restart, (live.p50, live.worst))


async def _other(program: Path, home: Path, corpus: Corpus) -> Side:
    home.mkdir()
    began = perf_counter()
    async with agentsview.serving(program, home, [str(corpus.root)]) as peer:
        ready = perf_counter()
        await _still(peer.pid)
        cold = _cost(began, peer.pid)
        cold.seconds = ready - began  # it reads everything before it listens
        cold.messages = len(peer.messages())
    cold.database = sum(path.stat().st_size for path in (home / "data").glob("sessions.db*"))
    began = perf_counter()
    async with agentsview.serving(program, home, [str(corpus.root)]) as peer:
        restart = _cost(began, peer.pid)
    live = home.with_name(f"{home.name}-live")
    (live / "projects").mkdir(parents=True)
    async with agentsview.serving(program, live, [str(live / "projects")]) as peer:
        seconds = await _appended(peer, live / "projects")
    return Side(cold, restart, (seconds[len(seconds) // 2], seconds[-1]))


def _cost(began: float, pid: int) -> Cost:
    return Cost(perf_counter() - began, cpu_seconds(pid), peak_rss(pid))


async def _still(pid: int) -> None:
    """Wait until the process does nothing any more."""
    with trio.fail_after(ingest.LIMIT_SECONDS):
        while True:
            used = cpu_seconds(pid)
            await trio.sleep(STILL_SECONDS)
            if cpu_seconds(pid) - used < STILL_SHARE * STILL_SECONDS:
                return


async def _appended(peer: agentsview.Peer, root: Path) -> list[float]:
    """Append lines one by one; return how long each took until it stood in the database of the peer, shortest first."""
    path = root / "-home-dev-live" / f"{uuid4()}.jsonl"
    path.parent.mkdir()
    seconds = []
    for number in range(APPENDS):
        text = f"live {number}"
        began = perf_counter()
        with path.open("ab", buffering=0) as file:
            file.write(line(text, session=path.stem))
        with trio.move_on_after(LOST_SECONDS) as scope:
            while all(message.text != text for message in peer.messages()):
                await trio.sleep(LOOK_SECONDS)
        seconds.append(math.inf if scope.cancelled_caught else perf_counter() - began)
        await trio.sleep(PAUSE_SECONDS)
    return sorted(seconds)


def lines(own: Side, other: Side, size: int) -> list[str]:
    """Return a table of both; `size` is that of the corpus in bytes."""

    def row(measure: str, values: tuple[float, float], form: str) -> str:
        return f"| {measure} | {values[0]:{form}} | {values[1]:{form}} | {values[0] / values[1]:.2f} |"

    pairs = ((own.cold, other.cold), (own.restart, other.restart))
    (cold, cold_other), (again, again_other) = pairs
    return [
        f"| measure | ccod | agentsview {agentsview.VERSION} | ratio |",
        "|---|---|---|---|",
        row("cold ingest and full text: CPU s", (cold.cpu, cold_other.cpu), ".1f"),
        row("cold ingest and full text: s", (cold.seconds, cold_other.seconds), ".1f"),
        row("cold ingest: peak MiB", (cold.peak_rss / 2**20, cold_other.peak_rss / 2**20), ".0f"),
        row("database bytes per source byte", (cold.database / size, cold_other.database / size), ".2f"),
        row("start with nothing new: s", (again.seconds, again_other.seconds), ".2f"),
        row("start with nothing new: CPU s", (again.cpu, again_other.cpu), ".2f"),
        row("a line appended until it is shown: p50 ms", (own.appended[0] * 1e3, other.appended[0] * 1e3), ".0f"),
        row("a line appended until it is shown: worst ms", (own.appended[1] * 1e3, other.appended[1] * 1e3), ".0f"),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.peers", description=__doc__.splitlines()[0])
    parser.add_argument("--size", choices=SIZES, default="M")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--rounds", type=int, default=2)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ccod-peers-") as folder:
        corpus = build(Path(folder) / "corpus", SIZES[arguments.size], arguments.seed)
        try:
            own, other = trio.run(compare, Path(folder), corpus, arguments.rounds)
        except agentsview.Missing as reason:
            print(f"SKIPPED: {reason}")
            return 77
    print(f"Corpus {arguments.size}, {corpus.total.bytes / 1e6:.0f} MB, seed {arguments.seed}\n")
    print("\n".join(lines(own, other, corpus.total.bytes)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
