"""A storage that cannot write says so, keeps nothing of the batch, and goes on when it can again."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
import trio

from ccod import MessageQuery, StorageUnavailableError
from ccod.testing.asking import send
from ccod.testing.transcripts import Transcript
from ccod_sql.settings import SqliteSettings
from ccod_sql.storage import SqlStorage
from tests.plugins.sql import programs
from tests.prices import PRICES


def test_a_full_disk_loses_nothing(database: Path) -> None:
    with programs.start("fill", database) as process:
        said, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    lines = said.splitlines()
    assert len(lines) == 2
    assert all(line.startswith(f"{database}: ") for line in lines)


async def test_a_locked_database_is_tried_again(database: Path) -> None:
    transcript = Transcript().add(at=1)
    async with SqlStorage(SqliteSettings(path=str(database), busy_timeout=0.05), "machine", PRICES) as storage:
        other = sqlite3.connect(database, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageUnavailableError, match="locked"):
            await send(storage, transcript)
        assert await storage.checkpoints("tests") == []
        other.close()
        assert len((await send(storage, transcript, since=0)).events) == 2


async def test_a_moved_database_is_noticed(database: Path, storages: Callable[[], SqlStorage]) -> None:
    transcript = Transcript().add(at=1)
    away = trio.Path(database.with_name("away.db"))
    async with storages() as storage:
        await trio.Path(database).rename(away)
        with pytest.raises(StorageUnavailableError, match="moved or deleted"):
            await send(storage, transcript)
        await away.rename(database)
        await send(storage, transcript, since=0)
        assert (await storage.messages("conversation-1", MessageQuery())).total == 1


async def test_a_killed_writer_leaves_whole_batches(database: Path, storages: Callable[[], SqlStorage]) -> None:
    def kill_a_writer() -> int:
        with programs.start("write", database) as process:
            assert process.stdout is not None
            for _ in range(10):
                process.stdout.readline()
            process.kill()
            said, _ = process.communicate(timeout=60)
        return int(said.splitlines()[-1]) if said.endswith("\n") else 0

    said = await trio.to_thread.run_sync(kill_a_writer)
    async with storages() as storage:
        ((_, checkpoint),) = await storage.checkpoints("tests")
        page = await storage.messages("conversation-1", MessageQuery(limit=1))
    assert checkpoint.offset >= said
    assert page.total >= 50
    assert page.total % 5 == 0
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        kept = connection.execute("SELECT sum(length), max(start + length) FROM blocks").fetchone()
    assert kept == (checkpoint.offset, checkpoint.offset)
