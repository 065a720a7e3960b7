"""How large a database becomes with its archive and its full-text index, and which tables take it.

    python -m tests.bench.size --size M

Each table is counted with its indexes.
"""

from __future__ import annotations

import argparse
import sqlite3
import tempfile
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import trio

from ccod.testing.waiting import eventually
from tests.bench import ingest
from tests.bench.corpus import SEED, SIZES, Corpus, build
from tests.e2e.daemon import Daemon, open_daemon

BY_TABLE = """
    SELECT iif(tbl_name LIKE 'search%', 'search', ifnull(tbl_name, d.name)), sum(d.pgsize)
    FROM dbstat AS d LEFT JOIN sqlite_schema AS s ON s.name = d.name
    GROUP BY 1 ORDER BY 2 DESC
"""
WHOLE = "the whole file"
MAP = "map of pages"


async def measure(home: Path, corpus: Corpus) -> Mapping[str, int]:
    """Let a daemon read and index all of the corpus; return the bytes of each table, and of the whole file."""
    async with open_daemon(home, ingest.roots(corpus)) as daemon:
        await ingest.backfilled(daemon)
        await indexed(daemon)
        await daemon.terminate()
    return by_table(daemon.home.database)


async def indexed(daemon: Daemon) -> None:
    """Wait until all that is stored can be found."""

    async def all_indexed() -> bool:
        await trio.sleep(ingest.POLL_SECONDS)
        return bool((await daemon.get("/api/search?q=index&limit=1"))["data"]["indexed"] == 1)

    await eventually(all_indexed, "end of the indexing", ingest.LIMIT_SECONDS)


def by_table(database: Path) -> dict[str, int]:
    """Return the bytes of each table, the largest first, and of the whole file; only that where SQLite cannot tell."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        has_dbstat = connection.execute("SELECT sqlite_compileoption_used('ENABLE_DBSTAT_VTAB')").fetchone()[0]
        found: dict[str, int] = dict(connection.execute(BY_TABLE)) if has_dbstat else {}
    size = database.stat().st_size
    if found:  # the map by which pages are moved belongs to no table
        found[MAP] = size - sum(found.values())
    return found | {WHOLE: size}


def lines(sizes: Mapping[str, int], source: int) -> list[str]:
    """Return a table of those that take a thousandth of the source or more."""
    shown = [(name, size) for name, size in sizes.items() if size >= source / 1000]
    return [f"| {name} | {size / 1e6:.1f} MB | {size / source:.3f} |" for name, size in shown]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.size", description=__doc__.splitlines()[0])
    parser.add_argument("--size", choices=SIZES, default="M")
    parser.add_argument("--seed", type=int, default=SEED)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ccod-size-") as folder:
        corpus = build(Path(folder) / "corpus", SIZES[arguments.size], arguments.seed)
        sizes = trio.run(measure, Path(folder) / "home", corpus)
    print(f"Corpus {arguments.size}, {corpus.total.bytes / 1e6:.0f} MB, seed {arguments.seed}\n")
    print("| table | size | per source byte |\n|---|---|---|")
    print("\n".join(lines(sizes, corpus.total.bytes)))


if __name__ == "__main__":
    main()
