"""Measure every list and detail route beside an empty route of the same server, in turn in the same run.

    python -m tests.bench.rest --size L --json figures.json

Answers are made anew each time, but for those that are shown as kept or 304. `--home DIR` keeps the database there for
other runs.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from functools import partial
from pathlib import Path
from shutil import rmtree
from urllib.parse import urlsplit

import msgspec
import trio
from msgspec import Struct

from tests.bench import ccod_bench, ingest, long, routes
from tests.bench.corpus import SEED, SIZES, build
from tests.bench.keepalive import Asking, KeepAlive, Times, ask
from tests.bench.routes import EMPTY, Case
from tests.bench.size import indexed
from tests.e2e.daemon import open_daemon
from tests.e2e.home import Tables

PLUGIN = Path(ccod_bench.__file__).read_text()
PAGES = 10_000
TURNS = 4
SECONDS = 0.5
MOST_CONNECTIONS = 4
SERVED = {"http": {"port": 0, "socket": "", "limits": {"window": 0.0}}}
MADE_ANEW = SERVED | {"memory": {"size": 0}}


class Speed(Struct):
    """Answers per second, and seconds for each; `empty` is what the empty route did in the same turns."""

    per_second: float
    p50: float
    p99: float
    inside_p99: float
    empty_per_second: float
    empty_p99: float

    @property
    def share(self) -> float:
        """How many answers came while one of the empty route did."""
        return self.per_second / self.empty_per_second


class Route(Struct):
    """A case and its speeds over one connection and over four."""

    name: str
    first: str | None
    target_ms: float | None
    one: Speed
    four: Speed


async def measure(
    home: Path, size: str, seed: int = SEED, *, pages: int = PAGES, turns: int = TURNS, seconds: float = SECONDS
) -> list[Route]:
    """Let a daemon read a history, unless `home` holds one that did; ask it for everything."""
    if not (home / "data").exists():
        await prepare(home, SIZES[size], seed, pages)
    async with _serving(home, MADE_ANEW) as port:
        found = await compare(port, await routes.cases(port, pages), turns, seconds)
    async with _serving(home, SERVED) as port:
        found += await compare(port, routes.reused(), turns, seconds)
    return found


async def prepare(home: Path, size: int, seed: int, pages: int) -> None:
    """Store and index a corpus, and one conversation with so many pages."""
    corpus = build(home / "corpus", size, seed)
    long.write(corpus.root, pages)
    async with open_daemon(home, ingest.roots(corpus)) as daemon:
        await ingest.backfilled(daemon)
        await indexed(daemon)
        await daemon.terminate()


async def compare(port: int, cases: Sequence[Case], turns: int, seconds: float) -> list[Route]:
    """Measure each case over one connection and over four."""
    found = []
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(KeepAlive(port)) for _ in range(MOST_CONNECTIONS)]
        await ask(clients, EMPTY, seconds, Times())  # who is asking is looked up once for each connection
        for case in cases:
            one = await _speed(clients[:1], case.asking, turns, seconds)
            four = await _speed(clients, case.asking, turns, seconds)
            found.append(Route(case.name, case.first, case.target_ms, one, four))
    return found


async def _speed(clients: Sequence[KeepAlive], asking: Asking, turns: int, seconds: float) -> Speed:
    """Ask for it and for the empty route in turn, so that what else the machine does touches both."""
    own, empty = Times(), Times()
    took = empty_took = 0.0
    for _ in range(turns):
        empty_took += await ask(clients, EMPTY, seconds / 2, empty)
        took += await ask(clients, asking, seconds, own)
    return Speed(
        per_second=len(own.seconds) / took,
        p50=own.quantile(0.5),
        p99=own.quantile(0.99),
        inside_p99=own.quantile_inside(0.99),
        empty_per_second=len(empty.seconds) / empty_took,
        empty_p99=empty.quantile(0.99),
    )


@asynccontextmanager
async def _serving(home: Path, tables: Tables) -> AsyncIterator[int]:
    """Run a daemon with the bench's plugin on what `home` holds; offer its port."""
    rmtree(home / "plugins", ignore_errors=True)
    roots = {"claude": {"roots": [str(home / "corpus" / "projects")]}}
    async with open_daemon(home, {**tables, **roots}, start=False) as daemon:
        daemon.home.install("bench", PLUGIN)
        await daemon.start()
        with _apart(daemon.process.pid):
            yield urlsplit(daemon.url).port or 80
        await daemon.terminate()


@contextmanager
def _apart(pid: int) -> Iterator[None]:
    """Give the last processor to this client and all others to the server, where there are several."""
    all_of_them = sorted(os.sched_getaffinity(0))
    if len(all_of_them) == 1:
        yield
        return
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with suppress(ProcessLookupError):  # it has ended since
            os.sched_setaffinity(int(thread.name), all_of_them[:-1])
    os.sched_setaffinity(0, all_of_them[-1:])
    try:
        yield
    finally:
        os.sched_setaffinity(0, all_of_them)


def lines(found: Sequence[Route]) -> list[str]:
    """Return a table of what was measured: of both numbers the first is over one connection, the second over four."""
    by_name = {route.name: route for route in found}
    head = [
        "| route | p99 ms | answers/s | of the empty route's | within the route, p99 ms | |",
        "|---|---|---|---|---|---|",
    ]
    empty = sorted(found, key=lambda route: route.one.empty_per_second)[len(found) // 2]
    head.append(
        f"| an empty route (median) | {empty.one.empty_p99 * 1000:.1f}, {empty.four.empty_p99 * 1000:.1f} "
        f"| {empty.one.empty_per_second:.0f}, {empty.four.empty_per_second:.0f} | 1 | | |"
    )
    return head + [_line(route, by_name.get(route.first or "")) for route in found]


def _line(route: Route, first: Route | None) -> str:
    one, four = route.one, route.four
    notes = []
    if first is not None:
        notes.append(f"{first.one.share / one.share:.2f} of page 1's time, ≤ 1.5")
    if route.target_ms is not None:
        notes.append(f"≤ {route.target_ms:g} ms")
    return (
        f"| {route.name} | {one.p99 * 1000:.1f}, {four.p99 * 1000:.1f} | {one.per_second:.0f}, {four.per_second:.0f} "
        f"| {one.share:.2f}, {four.share:.2f} | {one.inside_p99 * 1000:.1f} | {', '.join(notes)} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.rest", description=__doc__.splitlines()[0])
    parser.add_argument("--size", choices=SIZES, default="L")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument(
        "--turns", type=int, default=TURNS, help="how often to ask for a route and the empty one in turn"
    )
    parser.add_argument("--seconds", type=float, default=SECONDS, help="for a route over one connection, in each turn")
    parser.add_argument(
        "--home", type=Path, metavar="DIR", help="keep the database there, or use the one that is there"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ccod-rest-") as folder:
        home = arguments.home or Path(folder)
        run = partial(measure, home, arguments.size, arguments.seed, turns=arguments.turns, seconds=arguments.seconds)
        found = trio.run(run)
    print("\n".join(lines(found)))
    if arguments.json:
        arguments.json.write_bytes(msgspec.json.format(msgspec.json.encode(found)))


if __name__ == "__main__":
    main()
