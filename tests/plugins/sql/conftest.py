from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import trio

from ccod.testing.asking import Clock
from ccod_sql.settings import SqliteSettings
from ccod_sql.storage import SqlStorage
from tests.prices import PRICES

OpenStorage = Callable[[], SqlStorage]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with tables and no rows: copying it is much faster than making it."""
    path = tmp_path_factory.mktemp("empty") / "empty.db"

    async def make() -> None:
        async with SqlStorage(SqliteSettings(path=str(path)), "machine", PRICES):
            pass

    trio.run(make)
    return path


@pytest.fixture
def database(empty_database: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(empty_database, tmp_path / "ccod.db"))


@pytest.fixture
def storages(database: Path, clock: Clock) -> OpenStorage:
    return lambda: SqlStorage(SqliteSettings(path=str(database)), "machine", PRICES, clock)
