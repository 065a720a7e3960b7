"""Measure ccod against a floor program, in one run on one corpus.

    python -m tests.bench --size M --json figures.json

The figures are those of this machine and this hour; the ratios are what to compare. Nothing is asserted.
"""

from __future__ import annotations

import argparse
import platform
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import msgspec
import trio
from msgspec import Struct

from tests.bench import agentsview, history, idle, ingest, peers, postgres, rest, size
from tests.bench.corpus import SEED, SIZES, Corpus, build
from tests.bench.fanout import Fanout, fanout
from tests.bench.latency import Latency
from tests.bench.transcript import Counts
from tests.postgres import reason_to_skip

Row = tuple[str, str, str]
COLLECTORS = (1,)
"""How many daemons at the same time read into one database of PostgreSQL."""


class Figures(Struct):
    """Everything that one run has measured."""

    python: str
    size: str
    seed: int
    corpus: Counts
    own_messages: int
    floor: ingest.Cost
    cold: ingest.Cost
    sizes: Mapping[str, int]
    live_during_cold: Latency
    live_idle: Latency
    live_hundred: Latency
    hub: Fanout
    bare: Fanout
    first_start: idle.Idle
    warm_start: idle.Idle
    rest_size: str
    rest: list[rest.Route]
    large: tuple[ingest.Cost, int] | None
    peers: tuple[peers.Side, peers.Side] | None
    postgres: postgres.Figures | None


async def run(folder: Path, chosen: str, rest_size: str, *, seed: int, appends: int, rounds: int) -> Figures:
    """Measure everything, one after the other."""
    corpus = build(folder / "corpus", SIZES[chosen], seed)
    floor, cold = await ingest.pairs(folder, corpus, rounds)
    return Figures(
        python=platform.python_version(),
        size=chosen,
        seed=seed,
        corpus=corpus.total,
        own_messages=own_messages(corpus),
        floor=floor,
        cold=cold,
        sizes=await size.measure(folder / "cold-0", corpus),
        live_during_cold=await ingest.live_during_cold(folder / "busy", corpus),
        live_idle=await idle.live(folder / "quiet", appends // 5, idle.QUIET_INTERVAL_SECONDS),
        live_hundred=await idle.live(folder / "hundred", appends, idle.BUSY_INTERVAL_SECONDS),
        hub=await fanout("hub"),
        bare=await fanout("bare"),
        first_start=await idle.idle(folder / "empty"),
        warm_start=await idle.idle(folder / "cold-0", ingest.roots(corpus)),
        rest_size=rest_size,
        rest=await rest.measure(folder / "rest", rest_size, seed),
        large=await _large(folder / "large", rest_size, seed) if rest_size != chosen else None,
        peers=await _peers(folder / "peers", corpus),
        postgres=await _postgres(folder / "postgres", corpus, seed),
    )


async def _large(folder: Path, chosen: str, seed: int) -> tuple[ingest.Cost, int]:
    """Return what reading another corpus cost, and its bytes."""
    corpus = build(folder / "corpus", SIZES[chosen], seed)
    return await ingest.cold(folder / "home", corpus), corpus.total.bytes


async def _peers(folder: Path, corpus: Corpus) -> tuple[peers.Side, peers.Side] | None:
    try:
        return await peers.compare(folder, corpus, 1)
    except agentsview.Missing as reason:
        print(f"no peers are measured: {reason}", flush=True)
        return None


async def _postgres(folder: Path, corpus: Corpus, seed: int) -> postgres.Figures | None:
    if reason := reason_to_skip():
        print(f"PostgreSQL is not measured: {reason}", flush=True)
        return None
    return await postgres.measure(folder, corpus, rounds=1, rest_size="S", collectors=COLLECTORS, seed=seed)


def ratios(figures: Figures) -> dict[str, float]:
    """Return what to compare with other runs."""
    total = figures.corpus.bytes
    shares = sorted(route.one.share for route in figures.rest)
    found = {
        "cold ingest, CPU: floor / ccod": figures.floor.cpu / figures.cold.cpu,
        "cold ingest, time: floor / ccod": figures.floor.seconds / figures.cold.seconds,
        "cold ingest, peak memory: ccod / floor": figures.cold.peak_rss / figures.floor.peak_rss,
        "database bytes per source byte": figures.sizes[size.WHOLE] / total,
        "to 100 clients, per CPU second: ccod / bare": figures.hub.per_cpu_second / figures.bare.per_cpu_second,
        "idle memory: all stored / nothing there": figures.warm_start.rss / figures.first_start.rss,
        "REST, median route / empty route": shares[len(shares) // 2],
    }
    if figures.large is not None:
        found["growth, CPU per byte"] = growth(figures)
    if figures.peers is not None:
        own, other = figures.peers
        found["cold ingest and full text, CPU: ccod / agentsview"] = own.cold.cpu / other.cold.cpu
    if figures.postgres is not None:
        ours, theirs = figures.postgres.sqlite, figures.postgres.postgres
        found["cold ingest, CPU with the server's: PostgreSQL / SQLite"] = (theirs.cpu + theirs.beside) / ours.cpu
    return found


def growth(figures: Figures) -> float:
    """Return how much more a byte of the large corpus costs than one of the other."""
    assert figures.large is not None
    (cost, total), cold = figures.large, figures.cold
    return (cost.cpu / total) / (cold.cpu / figures.corpus.bytes)


def own_messages(corpus: Corpus) -> int:
    """Count the messages that stand in conversations themselves, not in their subagents."""
    return sum(file.counts.messages for file in corpus.files if file.agent is None)


def rows(figures: Figures) -> list[Row]:
    """Return what to show: the measure, its value, and what it should be."""
    cold, floor, total = figures.cold, figures.floor, figures.corpus.bytes
    busy, quiet, hundred = figures.live_during_cold, figures.live_idle, figures.live_hundred
    hub, bare = figures.hub, figures.bare
    return [
        ("floor: MB/s, CPU s, peak MiB", f"{total / floor.seconds / 1e6:.1f}, {_cost(floor)}", ""),
        ("cold ingest: MB/s, CPU s, peak MiB", f"{total / cold.seconds / 1e6:.1f}, {_cost(cold)}", ""),
        ("cold ingest, CPU: floor / ccod", f"{floor.cpu / cold.cpu:.2f}", "≥ 0.6"),
        ("cold ingest, time: floor / ccod", f"{floor.seconds / cold.seconds:.2f}", "≥ 0.6"),
        ("messages found / written", f"{cold.messages} / {figures.own_messages}", "equal"),
        (
            "database bytes per source byte: ccod, floor (without a full-text index)",
            f"{figures.sizes[size.WHOLE] / total:.2f}, {floor.database / total:.2f}",
            "≤ 0.6",
        ),
        (f"append → WebSocket during cold ingest, {_heard(busy)}: p50, p99, worst ms", _ms(busy), "p99 ≤ 100"),
        (f"append → WebSocket idle, {_heard(quiet)}: p50, p99, worst ms", _ms(quiet), "p50 ≤ 10, p99 ≤ 25"),
        (f"append → WebSocket at 100 lines/s, {_heard(hundred)}: p50, p99, worst ms", _ms(hundred), ""),
        ("to 100 clients, deliveries per second: ccod, bare", f"{hub.per_second:.0f}, {bare.per_second:.0f}", ""),
        ("to 100 clients, per CPU second: ccod / bare", f"{hub.per_cpu_second / bare.per_cpu_second:.1f}", "≥ 0.8"),
        (
            "memory per idle WebSocket: ccod, bare",
            f"{hub.rss_per_connection / 1024:.0f}, {bare.rss_per_connection / 1024:.0f} KiB",
            "",
        ),
        (
            "start to READY: nothing there, all stored",
            f"{figures.first_start.start:.2f}, {figures.warm_start.start:.2f} s",
            "≤ 1.5 s",
        ),
        (
            "idle memory: nothing there, all stored",
            f"{_mib(figures.first_start.rss)}, {_mib(figures.warm_start.rss)} MiB",
            "≤ 120 MiB",
        ),
        (
            "idle CPU: nothing there, all stored",
            f"{figures.first_start.cpu:.2%}, {figures.warm_start.cpu:.2%}",
            "≤ 1 %",
        ),
    ]


def grown(figures: Figures) -> list[Row]:
    """Return how what a larger corpus takes compares."""
    if figures.large is None:
        return []
    cost, _ = figures.large
    more = (cost.peak_rss - figures.cold.peak_rss) / 2**20
    compared = f"{figures.rest_size} / {figures.size}"
    return [
        (f"cold ingest, CPU per byte: {compared}", f"{growth(figures):.2f}", "≤ 1.3"),
        (f"cold ingest, peak memory: {figures.rest_size} - {figures.size}", f"{more:.0f} MiB", "≤ 32 MiB"),
    ]


def _cost(cost: ingest.Cost) -> str:
    return f"{cost.cpu:.2f}, {_mib(cost.peak_rss)}"


def _mib(size: int) -> str:
    return f"{size / 2**20:.0f}"


def _heard(latency: Latency) -> str:
    return f"{latency.heard} of {latency.appended}"


def _ms(latency: Latency) -> str:
    return ", ".join(f"{seconds * 1000:.1f}" for seconds in (latency.p50, latency.p99, latency.worst))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--size", choices=SIZES, default="M")
    parser.add_argument("--rest-size", choices=SIZES, default="L", help="of the corpus of which the REST API tells")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--appends", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3, help="how often to run floor and cold ingest in turn")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parser.add_argument("--keep", action="store_true", help=f"add the ratios to {history.FILE.name}, for later runs")
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="ccod-bench-") as folder:
        chosen = partial(run, Path(folder), arguments.size, arguments.rest_size)
        figures = trio.run(partial(chosen, seed=arguments.seed, appends=arguments.appends, rounds=arguments.rounds))
    corpus = figures.corpus
    print(f"\nCorpus {figures.size}: {corpus.bytes / 1e6:.0f} MB, {corpus.lines} lines; Python {figures.python}\n")
    print("| measure | value | target |\n|---|---|---|")
    for row in (*rows(figures), *grown(figures)):
        print(f"| {' | '.join(row)} |")
    print("\n| table, with its indexes | size | per source byte |\n|---|---|---|")
    print("\n".join(size.lines(figures.sizes, corpus.bytes)))
    print(f"\nREST API, corpus {figures.rest_size}\n")
    print("\n".join(rest.lines(figures.rest)))
    if figures.peers:
        print(f"\nBeside agentsview, corpus {figures.size}\n")
        print("\n".join(peers.lines(*figures.peers, corpus.bytes)))
    if figures.postgres:
        print(f"\nPostgreSQL, corpus {figures.size}\n")
        print("\n".join(postgres.lines(figures.postgres)))
    now, before = history.point(figures.python, figures.size, ratios(figures)), history.last(figures.size)
    if before:
        print("\nBeside the last run that was kept\n")
        print("\n".join(history.lines(before, now)))
    if arguments.keep:
        history.keep(now)
    if arguments.json:
        arguments.json.write_bytes(msgspec.json.format(msgspec.json.encode(figures)))


if __name__ == "__main__":
    main()
