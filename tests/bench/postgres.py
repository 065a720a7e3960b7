"""PostgreSQL beside SQLite and beside a bare COPY of the same rows, in turn in one run on one corpus.

    python -m tests.bench.postgres --size S --collectors 1 2 4

The server is a private one on this machine, whose processors it shares with the daemons; it syncs what it commits.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import msgspec
import trio
from msgspec import Struct

from tests.bench import ingest, rest, size
from tests.bench.corpus import SEED, SIZES, Corpus, build
from tests.bench.process import cpu_seconds
from tests.e2e.daemon import Daemon, open_daemon
from tests.e2e.home import REPLACED
from tests.postgres import Server, database_of, reason_to_skip, running, url_of

DURABLE = {"fsync": "on", "full_page_writes": "on", "shared_buffers": "256MB", "max_wal_size": "2GB"}
"""As a server for a team has it, as far as this machine allows."""
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version' ORDER BY 1"
SIZES_OF_TABLES = "SELECT relname, pg_total_relation_size(relid) FROM pg_stat_user_tables ORDER BY 2 DESC"
WHOLE_SIZE = "SELECT pg_database_size(current_database())"
REST_PAGES = 1000


Connection = Any
"""psycopg's, which may not be installed."""


class Copied(Struct):
    """What it took to copy all rows of a database into one with the same tables, as fast as PostgreSQL takes them."""

    seconds: float
    cpu: float
    rows: int


class Collected(Struct):
    """What so many daemons took to read a corpus each, at the same time into one database."""

    daemons: int
    lines: int
    bytes: int
    seconds: float
    cpu: float
    server: float


class Query(Struct):
    """Answers per second over one connection, in shares of the empty route of the same server; p99 in seconds."""

    name: str
    sqlite: float
    postgres: float
    sqlite_p99: float
    postgres_p99: float


class Figures(Struct):
    """Everything that was measured; sizes in bytes, when all is indexed."""

    bytes: int
    lines: int
    sqlite: ingest.Cost
    postgres: ingest.Cost
    copy: Copied
    sqlite_size: int
    sizes: Mapping[str, int]
    collected: list[Collected] = []
    queries: list[Query] = []


@contextmanager
def on(server: Server) -> Iterator[None]:
    """Let every home that is made meanwhile have a database on the server."""
    before = os.environ.get(REPLACED)
    chosen = {"variables": {"CCOD_STORAGE": "postgres"}, "postgres": str(server.folder)}
    os.environ[REPLACED] = json.dumps(chosen)
    try:
        yield
    finally:
        del os.environ[REPLACED]
        if before is not None:
            os.environ[REPLACED] = before


def cpu_of(server: Server) -> float:
    """Return the processor time that all processes of the server have taken."""
    total = 0.0
    for pid in server.processes:
        with suppress(FileNotFoundError, ProcessLookupError):  # it has ended since, and counts as the first one's
            total += cpu_seconds(pid)
    return total


async def measure(
    folder: Path, corpus: Corpus, *, rounds: int, rest_size: str | None, collectors: Sequence[int], seed: int = SEED
) -> Figures:
    """Measure everything, one after the other."""
    with running(**DURABLE) as server:
        sqlite, postgres = await pairs(folder, server, corpus, rounds)
        first = folder / "postgres-0"
        copied = copy(server, database_of(server.folder, first), folder / "copied")
        sizes = await sizes_of(server, first, corpus)
        sqlite_size = (await size.measure(folder / "sqlite-0", corpus))[size.WHOLE]
        figures = Figures(corpus.total.bytes, corpus.total.lines, sqlite, postgres, copied, sqlite_size, sizes)
        if rest_size is not None:
            figures.queries = await queries(folder, server, rest_size, seed)
        for count in collectors:
            corpora = [build(folder / f"corpus-{n}", corpus.total.bytes, seed + n) for n in range(count)]
            figures.collected.append(await collect(folder / f"collect-{count}", server, corpora))
    return figures


async def pairs(folder: Path, server: Server, corpus: Corpus, rounds: int) -> tuple[ingest.Cost, ingest.Cost]:
    """Let daemons read the corpus on both engines in turn; return the cheapest run of each."""
    ours, theirs = [], []
    for number in range(rounds):
        ours.append(await ingest.cold(folder / f"sqlite-{number}", corpus))
        with on(server):
            theirs.append(await ingest.cold(folder / f"postgres-{number}", corpus, partial(cpu_of, server)))
    return min(ours, key=lambda cost: cost.cpu), min(theirs, key=lambda cost: cost.cpu + cost.beside)


def copy(server: Server, source: str, folder: Path) -> Copied:
    """Copy all rows of the database `source` into a new one of the same tables, which is made in `folder`'s name."""
    import psycopg

    from ccod_sql.postgres.backend import OnPostgres
    from ccod_sql.postgres.settings import PostgresSettings

    target = url_of(server.folder, server.fresh())
    with OnPostgres(PostgresSettings(url=target, folder=str(folder))).open() as database:
        database.upgrade()
    with psycopg.connect(source) as old, psycopg.connect(target) as new:
        bodies = {name: _written(old, name) for (name,) in old.execute(TABLES).fetchall()}
        began, used, own = perf_counter(), cpu_of(server), process_time()
        rows = sum(_read(new, name, body) for name, body in bodies.items())
        new.commit()
        return Copied(perf_counter() - began, cpu_of(server) - used + process_time() - own, rows)


def _written(connection: Connection, table: str) -> list[bytes]:
    with closing(connection.cursor()) as cursor, cursor.copy(f"COPY {table} TO STDOUT") as rows:
        return [bytes(part) for part in rows]


def _read(connection: Connection, table: str, body: Sequence[bytes]) -> int:
    with closing(connection.cursor()) as cursor:
        with cursor.copy(f"COPY {table} FROM STDIN") as rows:
            for part in body:
                rows.write(part)
        return int(cursor.rowcount)


async def sizes_of(server: Server, home: Path, corpus: Corpus) -> Mapping[str, int]:
    """Let a daemon finish its index; return the bytes of each table with its indexes, and of the whole database."""
    with on(server):
        async with open_daemon(home, ingest.roots(corpus)) as daemon:
            await ingest.backfilled(daemon)
            await size.indexed(daemon)
            await daemon.terminate()
    name = database_of(server.folder, home).partition("@/")[2].partition("?")[0]
    sizes = {str(table): int(count) for table, count in server.run(SIZES_OF_TABLES, name)}
    return sizes | {size.WHOLE: int(server.run(WHOLE_SIZE, name)[0][0])}


async def queries(folder: Path, server: Server, chosen: str, seed: int) -> list[Query]:
    """Ask daemons on both engines for everything that the bench of the REST API asks for."""
    ours = await _asked(folder / "rest-sqlite", chosen, seed)
    with on(server):
        theirs = await _asked(folder / "rest-postgres", chosen, seed)
    return [
        Query(name, one.share, theirs[name].share, one.p99, theirs[name].p99)
        for name, one in ours.items()
        if name in theirs
    ]


async def _asked(home: Path, chosen: str, seed: int) -> dict[str, rest.Speed]:
    await rest.prepare(home, SIZES[chosen], seed, REST_PAGES)
    return {route.name: route.one for route in await rest.measure(home, chosen, seed, pages=REST_PAGES, turns=2)}


async def collect(folder: Path, server: Server, corpora: Sequence[Corpus]) -> Collected:
    """Let as many daemons as there are corpora read one each into one database, each as a machine of its own."""
    url = url_of(server.folder, server.fresh())
    async with AsyncExitStack() as stack:
        daemons = []
        for number, corpus in enumerate(corpora):
            home = folder / f"machine-{number}"
            tables = {**ingest.roots(corpus), "postgres": {"url": url, "folder": str(home / "data")}}
            daemon = await stack.enter_async_context(open_daemon(home, tables, start=False))
            daemon.home.variables |= {"CCOD_STORAGE": "postgres", "CCOD_MACHINE": f"machine-{number}"}
            daemons.append(daemon)
        began, used = perf_counter(), cpu_of(server)
        async with trio.open_nursery() as nursery:
            for daemon in daemons:
                nursery.start_soon(_collect, daemon)
        seconds, server_cpu = perf_counter() - began, cpu_of(server) - used
        cpu = sum(cpu_seconds(daemon.process.pid) for daemon in daemons)
        for daemon in daemons:
            await daemon.terminate()
    totals = [corpus.total for corpus in corpora]
    lines, read = sum(total.lines for total in totals), sum(total.bytes for total in totals)
    return Collected(len(daemons), lines, read, seconds, cpu, server_cpu)


async def _collect(daemon: Daemon) -> None:
    await daemon.start()
    await ingest.backfilled(daemon)


def lines(figures: Figures) -> list[str]:
    """Return tables of what was measured."""
    ours, theirs, copied, total = figures.sqlite, figures.postgres, figures.copy, figures.bytes
    own, whole = figures.sqlite_size, figures.sizes[size.WHOLE]
    found = [
        "| measure | SQLite | PostgreSQL | bare COPY |",
        "|---|---|---|---|",
        f"| seconds | {ours.seconds:.1f} | {theirs.seconds:.1f} | {copied.seconds:.1f} |",
        f"| lines a second | {_rate(figures, ours.seconds)} | {_rate(figures, theirs.seconds)} "
        f"| {_rate(figures, copied.seconds)} |",
        f"| MB/s | {total / ours.seconds / 1e6:.1f} | {total / theirs.seconds / 1e6:.1f} "
        f"| {total / copied.seconds / 1e6:.1f} |",
        f"| CPU s: daemon, server | {ours.cpu:.1f}, 0 | {theirs.cpu:.1f}, {theirs.beside:.1f} | {copied.cpu:.1f} |",
        f"| of SQLite's time, CPU | 1 | {theirs.seconds / ours.seconds:.2f}, "
        f"{(theirs.cpu + theirs.beside) / ours.cpu:.2f} | {copied.seconds / ours.seconds:.2f}, "
        f"{copied.cpu / ours.cpu:.2f} |",
        f"| database bytes per source byte | {own / total:.2f} | {whole / total:.2f} | |",
        "",
        f"{copied.rows} rows in all.",
        "",
        "| table of PostgreSQL, with its indexes | size | per source byte |",
        "|---|---|---|",
        *size.lines(figures.sizes, total),
    ]
    if figures.collected:
        found += ["", "| collectors | lines a second, in all | seconds | CPU s: daemons, server |", "|---|---|---|---|"]
        found += [
            f"| {each.daemons} | {each.lines / each.seconds:.0f} | {each.seconds:.1f} "
            f"| {each.cpu:.1f}, {each.server:.1f} |"
            for each in figures.collected
        ]
    if figures.queries:
        found += ["", "| route | of the empty route's: SQLite, PostgreSQL | p99 ms |", "|---|---|---|"]
        found += [
            f"| {each.name} | {each.sqlite:.2f}, {each.postgres:.2f} "
            f"| {each.sqlite_p99 * 1000:.1f}, {each.postgres_p99 * 1000:.1f} |"
            for each in figures.queries
        ]
    return found


def _rate(figures: Figures, seconds: float) -> str:
    return f"{figures.lines / seconds:,.0f}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.postgres", description=__doc__.splitlines()[0])
    parser.add_argument("--size", choices=SIZES, default="M")
    parser.add_argument("--rest-size", choices=SIZES, help="of the corpus of which the API tells, if it is asked")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--rounds", type=int, default=1, help="how often to read on both in turn")
    parser.add_argument("--collectors", type=int, nargs="*", default=[], help="how many daemons write at the same time")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    arguments = parser.parse_args()
    if reason := reason_to_skip():
        print(f"SKIPPED: {reason}")
        return
    with tempfile.TemporaryDirectory(prefix="ccod-bench-postgres-") as folder:
        corpus = build(Path(folder) / "corpus", SIZES[arguments.size], arguments.seed)
        chosen = partial(
            measure,
            Path(folder),
            corpus,
            rounds=arguments.rounds,
            rest_size=arguments.rest_size,
            collectors=arguments.collectors,
            seed=arguments.seed,
        )
        figures = trio.run(chosen)
    print(f"Corpus {arguments.size}: {figures.bytes / 1e6:.0f} MB, {figures.lines} lines, seed {arguments.seed}\n")
    print("\n".join(lines(figures)))
    if arguments.json:
        arguments.json.write_bytes(msgspec.json.format(msgspec.json.encode(figures)))


if __name__ == "__main__":
    main()
