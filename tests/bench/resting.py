"""A daemon beside a long history: what ten thousand watched files cost while nothing happens, and how soon it starts.

    python -m tests.bench.resting --files 10000 --size L --starts 8

Idle is what a daemon is that was started once more, after everything was read, packed and checked.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
from functools import partial
from pathlib import Path
from time import perf_counter
from uuid import UUID

import trio

from tests.bench import ingest
from tests.bench.corpus import SEED, SIZES, build
from tests.bench.process import cpu_seconds, rss
from tests.e2e.daemon import open_daemon

PER_PROJECT = 50
UPKEEP_SECONDS = 90.0
SETTLE_SECONDS = 30.0
IDLE_SECONDS = 60.0
STARTED = "2026-01-01T10:00:00.000Z"
WRITTEN = 1_767_261_600
MIB = 2**20


async def watched(folder: Path, files: int) -> None:
    """Watch `files` conversations that rest, and print what that takes."""
    root = folder / "projects"
    await trio.to_thread.run_sync(_write, root, files)
    tables = {"claude": {"roots": [str(root)]}}
    async with open_daemon(folder / "home", tables) as daemon:
        await ingest.backfilled(daemon)
        await trio.sleep(UPKEEP_SECONDS)
        await daemon.terminate()
    async with open_daemon(folder / "home", tables) as daemon:
        pid, began = daemon.process.pid, perf_counter()
        print(f"{files} files: RSS {rss(pid) / MIB:.0f} MiB when ready", flush=True)
        await trio.sleep(SETTLE_SECONDS)
        used, since = cpu_seconds(pid), perf_counter()
        await trio.sleep(IDLE_SECONDS)
        share = (cpu_seconds(pid) - used) / (perf_counter() - since)
        after = perf_counter() - began
        print(f"{files} files: {share:.2%} of a core, RSS {rss(pid) / MIB:.0f} MiB after {after:.0f} s", flush=True)


async def starts(folder: Path, size: str, count: int, seed: int) -> None:
    """Let a corpus be stored, and print how soon a daemon on it is ready."""
    corpus = await trio.to_thread.run_sync(build, folder / "corpus", SIZES[size], seed)
    tables = ingest.roots(corpus)
    async with open_daemon(folder / "home", tables) as daemon:
        await ingest.backfilled(daemon)
        await daemon.terminate()
    took = []
    for _ in range(count):
        began = perf_counter()
        async with open_daemon(folder / "home", tables) as daemon:
            took.append(perf_counter() - began)
            await daemon.terminate()
    each = ", ".join(f"{seconds:.2f}" for seconds in sorted(took))
    print(f"corpus {size}, {corpus.total.bytes / 1e6:.0f} MB in {len(corpus.files)} files, seed {seed}")
    print(f"start to READY: median {statistics.median(took):.2f} s of {each}", flush=True)


def _write(root: Path, files: int) -> None:
    for number in range(files):
        cwd = f"/home/dev/code/project-{number // PER_PROJECT}"
        session = str(UUID(int=number, version=4))
        path = root / cwd.replace("/", "-") / f"{session}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        record = {
            "type": "user",
            "uuid": str(UUID(int=files + number, version=4)),
            "parentUuid": None,
            "sessionId": session,
            "cwd": cwd,
            "version": "2.0.0",
            "timestamp": STARTED,
            "message": {"role": "user", "content": f"What does module {number} do?"},
        }
        path.write_text(json.dumps(record) + "\n")
        os.utime(path, (WRITTEN, WRITTEN))


async def run(folder: Path, files: int, size: str, count: int, seed: int) -> None:
    if files:
        await watched(folder / "watched", files)
    if count:
        await starts(folder / "starts", size, count, seed)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.resting", description=__doc__)
    parser.add_argument("--files", type=int, default=10_000, help="how many to watch; 0: none")
    parser.add_argument("--size", choices=SIZES, default="L", help="of the corpus that is stored before the starts")
    parser.add_argument("--starts", type=int, default=8, help="how often to start; 0: never")
    parser.add_argument("--seed", type=int, default=SEED)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ccod-resting-") as folder:
        trio.run(partial(run, Path(folder), given.files, given.size, given.starts, given.seed))


if __name__ == "__main__":
    main()
