# ruff: noqa: ASYNC240 - nothing else runs while a test looks at its files
"""Whose file it is, who holds it, who may read it, and what a person is told when it cannot be opened."""

from __future__ import annotations

import errno
import os
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio

from ccod import BusyError, CcodError, ConfigError, StorageUnavailableError, UnavailableError
from ccod.testing.asking import send
from ccod.testing.transcripts import Transcript
from ccod_sql.engine import Driver
from ccod_sql.files import refused
from ccod_sql.settings import SqliteSettings
from ccod_sql.sqlite import open_database
from ccod_sql.storage import SqlStorage
from tests.plugins.sql import programs
from tests.prices import PRICES


@pytest.fixture(params=[0o000, 0o077, 0o777])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    old = os.umask(request.param)
    yield request.param
    os.umask(old)


def at(path: Path) -> SqlStorage:
    return SqlStorage(SqliteSettings(path=str(path), busy_timeout=0.1), "machine", PRICES)


async def refusal(path: Path, kind: type[CcodError]) -> str:
    """Return what is said when the database at `path` is refused; it is one line that names the file."""
    with pytest.raises(kind) as caught:
        async with at(path):
            pass
    text = str(caught.value)
    assert str(path) in text
    assert "\n" not in text
    return text


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_files_are_the_owners_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    tmp_path.chmod(0o755)
    folder = tmp_path / "new" / "folder"
    async with at(folder / "ccod.db") as storage:
        await send(storage, Transcript().add())
        files = {path.name: mode(path) for path in folder.iterdir()}
    assert files == dict.fromkeys(["ccod.db", "ccod.db-wal", "ccod.db-shm", "ccod.db.lock"], 0o600)
    assert (mode(folder), mode(folder.parent), mode(tmp_path)) == (0o700, 0o700, 0o755)


async def test_an_open_file_is_closed_to_others(database: Path) -> None:
    database.chmod(0o644)
    async with at(database):
        assert mode(database) == 0o600


async def test_home_is_expanded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    assert SqliteSettings().path == "~/.local/share/ccod/ccod.db"
    async with SqlStorage(SqliteSettings(), "machine", PRICES):
        assert (tmp_path / ".local/share/ccod/ccod.db").exists()


def test_data_home_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert SqliteSettings().path == "/data/ccod/ccod.db"
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    assert SqliteSettings().path == "~/.local/share/ccod/ccod.db"


async def test_odd_file_names(empty_database: Path, tmp_path: Path) -> None:
    path = tmp_path / "a b?c#d%41.db"
    path.write_bytes(empty_database.read_bytes())
    async with at(path) as storage:
        await send(storage, Transcript().add())
        assert len(await storage.checkpoints("tests")) == 1
    assert {file.name for file in tmp_path.iterdir()} == {path.name, f"{path.name}.lock"}


async def test_closing_empties_the_journal(database: Path) -> None:
    async with at(database) as storage:
        await send(storage, Transcript().add())
    assert not database.with_name("ccod.db-wal").exists()
    with sqlite3.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM entries").fetchone() == (1,)
        assert connection.execute("PRAGMA application_id").fetchone() == (int.from_bytes(b"ccod"),)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


async def test_closing_is_not_cut_short(database: Path) -> None:
    with trio.CancelScope() as scope:
        async with at(database):
            scope.cancel()
            await trio.lowlevel.checkpoint()
    assert scope.cancelled_caught
    async with at(database):
        pass


async def test_one_daemon_holds_a_database(database: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.db"
    link.symlink_to(database)
    async with at(database):
        for path in (database, link):
            with pytest.raises(BusyError, match=rf"{database}: in use by process {os.getpid()}, started 2.*--database"):
                async with at(path):
                    pass
    async with at(database):
        pass


async def test_a_dead_holder_holds_nothing(database: Path) -> None:
    process = await trio.to_thread.run_sync(programs.start, "hold", database)
    with process:
        assert process.stdout is not None
        assert await trio.to_thread.run_sync(process.stdout.readline) == "open\n"
        assert f"process {process.pid}," in await refusal(database, BusyError)
        process.kill()
    async with at(database):
        pass


async def test_what_is_not_ours_is_refused_and_untouched(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("my notes, which are not a database at all, and longer than its header would be")
    text.chmod(0o644)
    assert "not a database" in await refusal(text, ConfigError)
    foreign = tmp_path / "foreign.db"
    with sqlite3.connect(foreign) as connection:
        connection.execute("CREATE TABLE mine (x)")
    connection.close()
    before = foreign.read_bytes()
    assert "another program" in await refusal(foreign, ConfigError)
    assert foreign.read_bytes() == before
    assert mode(text) == 0o644
    assert {path.name for path in tmp_path.iterdir()} == {"notes.txt", "foreign.db"}


def test_a_database_is_ours_from_its_first_byte(tmp_path: Path) -> None:
    """Killed between two statements of its making, it must not be taken for another program's at the next start."""
    database = tmp_path / "ccod.db"
    marks = []

    class Watched(Driver):
        def connect(self, path: Path, mode: str, timeout: float = 5.0) -> sqlite3.Connection:
            connection = super().connect(path, mode, timeout)
            connection.set_trace_callback(lambda _: marks.append(database.read_bytes()[68:72]))
            return connection

    with open_database(SqliteSettings(path=str(database)), Watched()) as opened, opened.writer.begin():
        pass
    assert set(marks) == {b"", b"ccod"}


async def test_an_empty_file_is_made_ours(tmp_path: Path) -> None:
    (tmp_path / "ccod.db").touch()
    async with at(tmp_path / "ccod.db"):
        assert (tmp_path / "ccod.db").read_bytes().startswith(b"SQLite format 3")


async def test_a_newer_schema_is_refused(database: Path) -> None:
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    assert "newer ccod" in await refusal(database, ConfigError)


async def test_a_folder_is_refused(tmp_path: Path) -> None:
    assert "is a folder" in await refusal(tmp_path, ConfigError)


async def test_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "pipe" in await refusal(tmp_path / "pipe", ConfigError)


@pytest.mark.parametrize("name", ["file/ccod.db", "file/deeper/ccod.db"])
async def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    assert "--database" in await refusal(tmp_path / name, ConfigError)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
async def test_a_read_only_folder_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert "Permission denied" in await refusal(tmp_path / "ccod.db", ConfigError)


@pytest.mark.parametrize(("number", "code"), [(errno.EROFS, 69), (errno.ENOSPC, 69), (errno.EACCES, 78)])
def test_a_disk_that_is_full_or_read_only_is_no_fault_of_the_configuration(number: int, code: int) -> None:
    assert refused(Path("ccod.db"), OSError(number, os.strerror(number))).exit_code == code


async def test_a_damaged_database_is_named(database: Path) -> None:
    data = bytearray(database.read_bytes())
    data[100:4096] = b"\xff" * 3996
    database.write_bytes(data)
    assert "malformed" in await refusal(database, UnavailableError)


async def test_a_database_locked_by_another_program_is_named(database: Path) -> None:
    other = sqlite3.connect(database, isolation_level=None)
    other.execute("PRAGMA journal_mode = WAL")
    other.execute("BEGIN IMMEDIATE")
    try:
        assert "other program that holds a lock" in await refusal(database, StorageUnavailableError)
    finally:
        other.close()


async def test_a_lock_that_is_let_go_in_time_is_waited_for(database: Path) -> None:
    other = sqlite3.connect(database, isolation_level=None)
    other.execute("PRAGMA journal_mode = WAL")
    other.execute("BEGIN IMMEDIATE")
    free = trio.Event()
    async with trio.open_nursery() as nursery:

        async def let_go() -> None:
            await trio.sleep(1)
            other.close()
            free.set()

        nursery.start_soon(let_go)
        async with SqlStorage(SqliteSettings(path=str(database)), "here", PRICES):
            assert free.is_set()
