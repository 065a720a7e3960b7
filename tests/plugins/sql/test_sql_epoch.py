"""A copy of a database gives numbers that the first gave for other events: it has an epoch of its own."""

# ruff: noqa: ASYNC240 - what a test does to small local files takes no time

from __future__ import annotations

import shutil
from pathlib import Path

from ccod.testing.asking import Clock
from ccod_sql.backup import copy_database
from ccod_sql.schema import HEAD
from tests.plugins.sql.feeding import feed, stream, transcript
from tests.plugins.sql.opening import opened
from tests.plugins.sql.test_sql_migrations import at_version
from tests.plugins.sql.test_sql_tables import select


async def epoch(path: Path, clock: Clock) -> str:
    async with opened(path, clock) as storage:
        return (await storage.position()).epoch


async def test_a_database_keeps_its_epoch_and_each_copy_gets_one(database: Path, clock: Clock, tmp_path: Path) -> None:
    first = await epoch(database, clock)
    assert await epoch(database, clock) == first
    copied = tmp_path / "copied.db"
    shutil.copy(database, copied)
    by_hand = await epoch(copied, clock)
    backup = tmp_path / "backup.db"
    copy_database(database, backup)
    by_us = await epoch(backup, clock)
    assert len({first, by_hand, by_us}) == 3
    assert await epoch(backup, clock) == by_us
    assert await epoch(database, clock) == first


async def test_a_backup_that_is_written_into_the_old_file_is_known(
    database: Path, clock: Clock, tmp_path: Path
) -> None:
    """`cp backup ccod.db` leaves the file what it was, and changes its content."""
    async with opened(database, clock) as storage:
        before = (await storage.position()).epoch
        await feed(storage, stream(), transcript(20))
    backup = tmp_path / "backup.db"
    copy_database(database, backup)
    async with opened(database, clock) as storage:
        await feed(storage, stream("c2"), transcript(20, 1, conversation="c2"))
    inode = database.stat().st_ino
    shutil.copyfile(backup, database)
    assert database.stat().st_ino == inode
    assert await epoch(database, clock) != before


async def test_a_renamed_database_is_the_same(database: Path, clock: Clock) -> None:
    first = await epoch(database, clock)
    assert await epoch(database.rename(database.with_name("other.db")), clock) == first


async def test_the_backup_before_a_migration_gets_another(database: Path, clock: Clock, tmp_path: Path) -> None:
    await epoch(database, clock)
    old = tmp_path / "old.db"
    at_version("0004", old, database)
    migrated = await epoch(old, clock)
    backup = tmp_path / f"old.db.before-{HEAD}"
    inode = backup.stat().st_ino
    assert select(backup, "SELECT value FROM meta WHERE key = 'file'") == [("",)]
    assert backup.stat().st_ino == inode
    assert await epoch(backup, clock) != migrated
