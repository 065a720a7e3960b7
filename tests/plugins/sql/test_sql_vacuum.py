"""What is not used goes back to the file system, beside a daemon or without one, and nothing else changes."""

# ruff: noqa: ASYNC240 - what a test does to small local files takes no time

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from ccod import Storage, Vacuumed
from ccod.testing.asking import Clock
from ccod_sql.vacuuming import vacuum_all
from tests.plugins.sql.feeding import dump, feed, stream, transcript
from tests.plugins.sql.opening import opened
from tests.plugins.sql.test_sql_backup import db
from tests.plugins.sql.test_sql_packing import maintained
from tests.plugins.sql.test_sql_reparse import DERIVED
from tests.plugins.sql.test_sql_tables import select

KEPT, FORGOTTEN = "c1", "c2"


async def grow(storage: Storage) -> None:
    """Store two conversations, and forget the larger one."""
    await feed(storage, stream(KEPT), transcript(60, 1, conversation=KEPT))
    await feed(storage, stream(FORGOTTEN), transcript(3000, 2, conversation=FORGOTTEN))
    await maintained(storage)
    await storage.forget_conversation(FORGOTTEN)
    await maintained(storage)


async def vacuumed(storage: Storage) -> tuple[Vacuumed, int]:
    """Let the storage work until there is nothing to do; return the last answer, and how many steps it took."""
    steps = 1
    while (done := await storage.vacuum()).more:
        steps += 1
    return done, steps


async def test_in_steps_all_free_pages_go_back_and_rows_stay(database: Path, clock: Clock) -> None:
    async with opened(database, clock) as storage:
        await grow(storage)
        before = dump(database, *DERIVED)
        size = database.stat().st_size
        done, steps = await vacuumed(storage)
        assert (done.unused, done.in_steps) == (0, True)
        assert steps > 2
        assert database.stat().st_size < size / 3
        assert dump(database, *DERIVED) == before
        assert (await vacuumed(storage))[1] < steps, "little is to be done again"
    assert db(database.parent, "check").exit_code == 0


async def test_what_was_made_without_room_for_steps_is_written_anew_once(database: Path, clock: Clock) -> None:
    with closing(sqlite3.connect(database)) as connection:  # as an earlier version left it
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("PRAGMA auto_vacuum = NONE")
        connection.execute("VACUUM")
    async with opened(database, clock) as storage:
        await grow(storage)
        done, _ = await vacuumed(storage)
        assert not done.in_steps
        assert done.unused > 100_000
        before = dump(database, *DERIVED)
    result = db(database.parent, "vacuum")
    assert result.exit_code == 0, result.exception
    assert dump(database, *DERIVED) == before
    assert select(database, "PRAGMA auto_vacuum") == [(2,)]
    assert select(database, "PRAGMA freelist_count") == [(0,)]
    async with opened(database, clock) as storage:
        await feed(storage, stream("c3"), transcript(1000, 3, conversation="c3"))
        await maintained(storage)
        await storage.forget_conversation("c3")
        done, _ = await vacuumed(storage)
        assert done == Vacuumed(0, more=False, in_steps=True)


async def test_the_index_finds_the_same_after_it_was_merged(database: Path, clock: Clock) -> None:
    found = "SELECT rowid FROM search WHERE search MATCH 'the' ORDER BY rowid"
    async with opened(database, clock) as storage:
        for number in range(8):
            name = f"c{number}"
            await feed(storage, stream(name), transcript(100, number, conversation=name))
            await maintained(storage)
        before = select(database, found)
        await vacuumed(storage)
        assert select(database, found) == before
    vacuum_all(database)
    assert select(database, found) == before
