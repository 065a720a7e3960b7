"""`ccod db`: copies made beside a daemon that writes, and damage that is found."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ccod import BusyError, CcodError, ConfigError, Settings
from ccod.settings import CoreSettings
from ccod_sql.backup import copy_database
from ccod_sql.commands import db_command
from ccod_sql.files import held
from ccod_sql.settings import SqliteSettings
from ccod_sql.sqlite import open_database


def only(database: Path | str, question: str) -> tuple[object, ...]:
    """Return the first row of an answer."""
    with closing(sqlite3.connect(database)) as connection:
        found: tuple[object, ...] = connection.execute(question).fetchone()
        return found


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


def test_a_copy_is_replaced_only_where_that_is_said(database: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    copy.write_text("old")
    refused = db(tmp_path, "backup", str(copy)).exception
    assert isinstance(refused, ConfigError)
    assert "--force" in str(refused)
    assert copy.read_text() == "old"
    result = db(tmp_path, "backup", str(copy), "--force", "--json")
    assert result.exit_code == 0, result.exception
    said = json.loads(result.output)
    assert said == {"schemaVersion": 1, "file": str(copy), "bytes": copy.stat().st_size}
    assert only(copy, "PRAGMA integrity_check") == ("ok",)
    assert "the database itself" in str(db(tmp_path, "backup", str(database), "--force").exception)
    Path(f"{copy}-wal").write_text("in use")
    assert "in use" in str(db(tmp_path, "backup", str(copy), "--force").exception)


def test_what_a_killed_backup_left_is_in_nobodys_way(database: Path, tmp_path: Path) -> None:
    for suffix in ("", "-wal", "-journal"):
        (tmp_path / f"copy.db.part{suffix}").write_bytes(b"half of it")
    copy_database(database, tmp_path / "copy.db")
    assert only(tmp_path / "copy.db", "PRAGMA integrity_check") == ("ok",)
    assert not list(tmp_path.glob("*.part*"))


def test_two_backups_to_one_file_do_not_mix(database: Path, tmp_path: Path) -> None:
    with (tmp_path / "copy.db.part").open("wb") as part:
        fcntl.flock(part, fcntl.LOCK_EX)
        with pytest.raises(BusyError, match="another ccod"):
            copy_database(database, tmp_path / "copy.db")
    copy_database(database, tmp_path / "copy.db")


def test_no_room_for_a_copy_is_one_line_and_leaves_nothing(database: Path, tmp_path: Path) -> None:
    """In a process of its own, whose files may not become as large."""
    program = (
        "import resource, sys; from ccod.cli import main; from pathlib import Path; "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)); main()"
    )
    arguments = ["db", "backup", str(tmp_path / "copy.db"), "--set", f"sqlite.path={database}"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    command = [sys.executable, "-c", program, *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    assert done.returncode == 1, done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert "could not be made" in done.stderr
    assert not list(tmp_path.glob("copy.db*"))


def test_a_backup_comes_back_and_what_was_there_is_kept(database: Path, tmp_path: Path) -> None:
    backup = tmp_path / "backup.db"
    assert db(tmp_path, "backup", str(backup)).exit_code == 0
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("INSERT INTO kept VALUES ('n', 'k', 'later')")
        connection.commit()
    with held(database):
        assert isinstance(db(tmp_path, "restore", str(backup)).exception, BusyError)
    result = db(tmp_path, "restore", str(backup), "--json")
    assert result.exit_code == 0, result.exception
    said = json.loads(result.output)
    kept = "SELECT count(*) FROM kept WHERE namespace = 'n'"
    assert only(database, kept) == (0,)
    assert only(said["before"], kept) == (1,)
    assert database.stat().st_mode & 0o777 == 0o600
    database.unlink()
    assert json.loads(db(tmp_path, "restore", str(backup), "--json").output)["before"] is None
    with open_database(SqliteSettings(path=str(database))):
        pass


def test_what_is_no_sound_backup_replaces_nothing(database: Path, tmp_path: Path) -> None:
    before = database.read_bytes()
    (tmp_path / "text").write_text("some text")
    damaged = bytearray(before)
    damaged[len(damaged) // 2 : len(damaged) // 2 + 4096] = b"\xff" * 4096
    (tmp_path / "damaged").write_bytes(damaged)
    newer = Path(shutil.copy(database, tmp_path / "newer"))
    with closing(sqlite3.connect(newer)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    for name, said in (
        ("text", "is not a database"),
        ("damaged", "damaged"),
        ("newer", "newer ccod"),
        ("none", "no such file"),
        ("ccod.db", "the database itself"),
    ):
        assert said in str(db(tmp_path, "restore", str(tmp_path / name)).exception), name
    assert database.read_bytes() == before
    assert not [path for path in tmp_path.iterdir() if "replaced" in path.name or "restored" in path.name]


@pytest.mark.parametrize("command", ["backup", "check", "migrate", "vacuum"])
def test_what_is_no_database_of_ours_is_left_alone(tmp_path: Path, command: str) -> None:
    assert "no database is there yet" in str(db(tmp_path, command).exception)
    assert not (tmp_path / "ccod.db").exists()
    (tmp_path / "ccod.db").write_text("some text")
    assert "is not a database" in str(db(tmp_path, command).exception)
