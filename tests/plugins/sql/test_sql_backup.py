"""`ccod db`: copies made beside a daemon that writes, and damage that is found."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ccod import CcodError, ConfigError, Settings
from ccod.settings import CoreSettings
from ccod_sql.backup import copy_database
from ccod_sql.commands import db_command
from ccod_sql.settings import SqliteSettings
from ccod_sql.sqlite import open_database


def db(home: Path, *arguments: str) -> Result:
    settings = Settings(CoreSettings(), {SqliteSettings: SqliteSettings(path=str(home / "ccod.db"))})
    return CliRunner().invoke(db_command(lambda: settings), arguments)


def test_a_copy_is_private_checked_and_never_overwrites(database: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copies" / "1.db"
    copy.parent.mkdir()
    result = db(tmp_path, "backup", str(copy))
    assert result.exit_code == 0, result.exception
    assert copy.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in copy.parent.iterdir()] == ["1.db"]
    with open_database(SqliteSettings(path=str(copy))) as opened:
        assert opened.path == copy
    assert isinstance(db(tmp_path, "backup", str(copy)).exception, ConfigError)
    assert db(tmp_path, "backup").exit_code == 0
    assert len(list(tmp_path.glob("ccod.db.2*Z"))) == 1


def test_a_copy_beside_a_writer_is_of_one_moment(database: Path, tmp_path: Path) -> None:
    stop = threading.Event()
    with open_database(SqliteSettings(path=str(database))) as opened:

        def write() -> None:
            with closing(opened.writer.raw_connection()) as connection:
                cursor = connection.cursor()
                cursor.execute("CREATE TABLE one (n)")
                cursor.execute("CREATE TABLE two (n)")
                while not stop.is_set():
                    cursor.execute("BEGIN IMMEDIATE")
                    cursor.execute("INSERT INTO one VALUES (randomblob(5000))")
                    cursor.execute("INSERT INTO two SELECT n FROM one ORDER BY rowid DESC LIMIT 1")
                    cursor.execute("COMMIT")

        writer = threading.Thread(target=write)
        writer.start()
        try:
            for number in range(5):
                copy_database(database, tmp_path / f"{number}.db")
        finally:
            stop.set()
            writer.join()
    counts = []
    for number in range(5):
        with closing(sqlite3.connect(tmp_path / f"{number}.db")) as copy:
            tables = {name for (name,) in copy.execute("SELECT name FROM sqlite_master")}
            if {"one", "two"} <= tables:
                different = copy.execute("SELECT count(*) FROM one LEFT JOIN two USING (n) WHERE two.n IS NULL")
                assert different.fetchone() == (0,)
                counts.append(copy.execute("SELECT count(*) FROM one").fetchone()[0])
    assert counts == sorted(counts)


def test_damage_is_found_and_not_copied(database: Path, tmp_path: Path) -> None:
    assert db(tmp_path, "check").output.endswith("is sound\n")
    assert db(tmp_path, "check", "--quick").exit_code == 0
    content = bytearray(database.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 4096] = b"\xff" * 4096
    database.write_bytes(content)
    error = db(tmp_path, "check").exception
    assert isinstance(error, CcodError)
    assert "is damaged" in str(error)
    assert "it is damaged" in str(db(tmp_path, "backup", str(tmp_path / "copy.db")).exception)
    assert not list(tmp_path.glob("copy.db*"))


@pytest.mark.parametrize("command", ["backup", "check"])
def test_what_is_no_database_of_ours_is_left_alone(tmp_path: Path, command: str) -> None:
    assert "no database is there yet" in str(db(tmp_path, command).exception)
    assert not (tmp_path / "ccod.db").exists()
    (tmp_path / "ccod.db").write_text("some text")
    assert "is not a database" in str(db(tmp_path, command).exception)
