"""A database of an older version is brought to this one, and tells then what a new one would tell."""

from __future__ import annotations

import random
import shutil
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from ccod import UnavailableError
from ccod.testing.asking import Clock
from ccod_sql import schema
from ccod_sql.states import TOOL_MS
from tests.plugins.sql.feeding import dump
from tests.plugins.sql.opening import opened
from tests.plugins.sql.test_sql_packing import maintained
from tests.plugins.sql.test_sql_reparse import DERIVED, fill
from tests.plugins.sql.test_sql_tables import select

STORED = ("machines", "projects", "conversations", "streams", "entries", "tool_calls", "quarantine", "blocks", "events")


def at_version(version: str, path: Path, like: Path) -> None:
    """Make a database as `version` left it, with the rows of the newer one at `like` as far as it knew of them."""
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", "ccod_sql:migrations")
        command.upgrade(config, version)
    engine.dispose()
    with closing(sqlite3.connect(path)) as old:
        old.execute("ATTACH ? AS new", (str(like),))
        for table in STORED:
            columns = ", ".join(row[1] for row in old.execute(f"PRAGMA main.table_info({table})"))
            columns = columns.replace("response_id, ", "").replace(", response_id", "")
            old.execute(f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM new.{table}")
        old.execute(f"PRAGMA application_id = {int.from_bytes(b'ccod')}")
        old.commit()


async def test_the_first_tables_tell_all_after_their_archive_was_read_again(
    database: Path, tmp_path: Path, clock: Clock
) -> None:
    async with opened(database, clock) as storage:
        await fill(storage, random.Random(3))
        clock.now += 2 * TOOL_MS
        await maintained(storage)
    old = tmp_path / "old.db"
    at_version("0001", old, database)
    async with opened(old, clock) as storage:
        await maintained(storage)
        assert not select(old, "SELECT id FROM streams WHERE parser = ''")
    assert dump(old, *DERIVED) == dump(database, *DERIVED)
    assert select(old, "PRAGMA foreign_key_check") == []


async def test_what_was_there_is_backed_up_first(database: Path, tmp_path: Path, clock: Clock) -> None:
    old, backup = tmp_path / "old.db", tmp_path / f"old.db.before-{schema.HEAD}"
    at_version("0001", old, database)
    before = shutil.copy(old, tmp_path / "copy.db")
    async with opened(old, clock):
        pass
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert dump(backup, *STORED, "sqlite_schema") == dump(Path(before), *STORED, "sqlite_schema")
    backup.unlink()
    async with opened(old, clock):
        assert not backup.exists(), "nothing is to be done a second time"


async def test_without_a_backup_nothing_is_changed(database: Path, tmp_path: Path, clock: Clock) -> None:
    old = tmp_path / "old.db"
    at_version("0001", old, database)
    (tmp_path / f"old.db.before-{schema.HEAD}").mkdir()
    with pytest.raises(UnavailableError, match=f"before-{schema.HEAD}"):
        async with opened(old, clock):
            pass
    assert select(old, "SELECT version_num FROM alembic_version") == [("0001",)]
