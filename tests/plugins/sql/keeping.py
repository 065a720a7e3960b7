"""Keeps the archive until killed: `python -m tests.plugins.sql.keeping WORK DATABASE`."""

from __future__ import annotations

import sys
from pathlib import Path

import trio

from ccod import Health
from ccod.testing.asking import Clock
from ccod_jsonl.reading import Position
from ccod_sql.storage import SqlStorage
from tests.plugins.sql.feeding import feed, stream, transcript
from tests.plugins.sql.opening import opened

DATA = transcript(600, 5)
LATER = 10_000_000


async def fill(storage: SqlStorage) -> None:
    position = Position()
    for size in (*range(3000, len(DATA), 3000), len(DATA)):
        position = await feed(storage, stream(), DATA[:size], position)


async def keep(work: str, database: Path) -> None:
    clock = Clock()
    clock.now += LATER
    async with opened(database, clock) as storage:
        print("begin", flush=True)
        if work == "forget":
            await storage.forget_conversation("c1")
        while True:
            if work == "reparse":
                await storage.reparse()
            await storage.maintain(Health())


if __name__ == "__main__":
    trio.run(keep, sys.argv[1], Path(sys.argv[2]))
