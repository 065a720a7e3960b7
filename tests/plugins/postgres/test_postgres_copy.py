"""A database of SQLite is copied into PostgreSQL, row by row, also in several goes."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import trio

from ccod import ConfigError
from ccod.testing.asking import Clock
from ccod_sql.backup import read_only
from ccod_sql.postgres import copying
from ccod_sql.postgres.backend import OnPostgres
from ccod_sql.postgres.copying import Copied, CopyingError, Tell, copy_into
from ccod_sql.postgres.settings import PostgresSettings
from tests.plugins.postgres.conftest import opened
from tests.plugins.postgres.test_postgres_same import answers, live, of_sqlite
from tests.plugins.sql.opening import opened as on_sqlite
from tests.plugins.sql.test_sql_packing import maintained
from tests.postgres import Server


@pytest.fixture
def filled(empty_sqlite: Path, tmp_path: Path) -> Path:
    path = Path(shutil.copy(empty_sqlite, tmp_path / "ccod.db"))

    async def fill() -> None:
        clock = Clock()
        async with on_sqlite(path, clock) as storage:
            await live(storage, 1, clock)

    trio.run(fill)
    return path


def silent(table: str, rows: int) -> None:
    pass


def copied(path: Path, url: str, folder: Path, tell: Tell = silent) -> Copied:
    backend = OnPostgres(PostgresSettings(url=url, folder=str(folder)), copying=True)
    with backend.open() as database, closing(read_only(path)) as source:
        return copy_into(database, source, tell)


async def test_a_copy_answers_as_the_file_does(server: Server, filled: Path, tmp_path: Path) -> None:
    url = server.url(server.fresh())
    found = copied(filled, url, tmp_path)
    stored = of_sqlite(filled)
    assert found.rows == sum(len(rows) for name, rows in stored.items() if name not in {"meta", "search_keys"}) + 2
    clock = Clock()
    async with on_sqlite(filled, clock) as storage:
        expected = await answers(storage)
        last = await storage.position()
    async with opened(url, tmp_path, clock) as storage:
        await maintained(storage)
        assert await answers(storage) == expected
        position = await storage.position()
        assert (position.seq, position.epoch != last.epoch) == (last.seq, True)
        forgotten = await storage.forget_conversation("c1")
        assert forgotten is not None
        assert forgotten.events[0].seq == last.seq + 1


def test_a_copy_that_was_broken_off_goes_on(
    server: Server, filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "PORTION_ROWS", 20)
    url = server.url(server.fresh())
    told: list[tuple[str, int]] = []

    def stop(table: str, rows: int) -> None:
        told.append((table, rows))
        if table == "entries" and rows > 50:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copied(filled, url, tmp_path, stop)
    with pytest.raises(ConfigError, match="`ccod db copy` goes on"):
        opened(url, tmp_path, Clock())._open()
    again: list[tuple[str, int]] = []
    first = copied(filled, url, tmp_path, lambda table, rows: again.append((table, rows)))
    assert not set(told) & set(again)
    assert copied(filled, server.url(server.fresh()), tmp_path) == first


def test_a_file_that_was_written_to_meanwhile_is_told(server: Server, filled: Path, tmp_path: Path) -> None:
    url = server.url(server.fresh())

    def write(table: str, rows: int) -> None:
        if table == "projects":
            with closing(sqlite3.connect(filled)) as connection, connection:
                connection.execute("UPDATE projects SET name = 'another'")

    with pytest.raises(CopyingError, match="projects: the copy is not what is in the file"):
        copied(filled, url, tmp_path, write)


def test_what_is_there_is_not_copied_into(server: Server, filled: Path, tmp_path: Path) -> None:
    url = server.url(server.fresh())
    copied(filled, url, tmp_path)
    with pytest.raises(CopyingError, match="is not empty"):
        copied(filled, url, tmp_path)
