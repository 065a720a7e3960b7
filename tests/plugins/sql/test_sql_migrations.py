"""A database of an older version is brought to this one, and tells then what a new one would tell."""

from __future__ import annotations

import json
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

from ccod import BusyError, ConfigError, UnavailableError
from ccod.testing.asking import Clock
from ccod_sql import schema
from ccod_sql.files import held
from ccod_sql.states import TOOL_MS
from tests.plugins.sql.feeding import dump
from tests.plugins.sql.opening import opened
from tests.plugins.sql.test_sql_backup import db
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


async def test_the_command_migrates_as_a_start_does(database: Path, tmp_path: Path, clock: Clock) -> None:
    async with opened(database, clock) as storage:
        await fill(storage, random.Random(3))
        await maintained(storage)
    home = tmp_path / "home"
    home.mkdir()
    old, started = home / "ccod.db", tmp_path / "started.db"
    at_version("0001", old, database)
    shutil.copy(old, started)
    untouched = old.read_bytes()
    plan = json.loads(db(home, "migrate", "--dry-run", "--json").output)
    assert (plan["schema"], plan["pending"], plan["applied"]) == (
        "0001",
        ["0002", "0003", "0004", "0005", "0006", "0007"],
        [],
    )
    assert "0007" in db(home, "migrate", "--dry-run").output
    assert old.read_bytes() == untouched
    with held(old):
        assert isinstance(db(home, "migrate").exception, BusyError)
    done = json.loads(db(home, "migrate", "--json").output)
    assert (done["schema"], done["pending"], done["applied"]) == (schema.HEAD, [], plan["pending"])
    assert dump(Path(done["backup"]), *STORED) == dump(started, *STORED)
    async with opened(started, clock):
        pass
    assert dump(old, *DERIVED, "sqlite_schema") == dump(started, *DERIVED, "sqlite_schema")
    assert "nothing to do" in db(home, "migrate").output


async def test_a_newer_database_is_refused_and_left_alone(database: Path, clock: Clock) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    before = dump(database, "sqlite_schema", "meta")
    with pytest.raises(ConfigError, match="newer ccod"):
        async with opened(database, clock):
            pass
    refused = db(database.parent, "migrate").exception
    assert isinstance(refused, ConfigError)
    assert "newer ccod" in str(refused)
    assert dump(database, "sqlite_schema", "meta") == before
