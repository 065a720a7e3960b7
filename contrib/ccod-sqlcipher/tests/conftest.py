from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import trio

from ccod.testing import Clock, RoundPrices, clock
from ccod_sql.settings import SqliteSettings
from ccod_sql.storage import SqlStorage
from ccod_sqlcipher.driver import Sqlcipher

__all__ = ["clock"]

KEY = "00112233445566778899aabbccddeeff0f1e2d3c4b5a69788796a5b4c3d2e1f0"

Storages = Callable[..., SqlStorage]


@pytest.fixture
def key() -> str:
    return KEY


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with tables and no rows: copying it is much faster than making it."""
    path = tmp_path_factory.mktemp("empty") / "empty.db"

    async def make() -> None:
        async with SqlStorage(SqliteSettings(path=str(path)), "machine", RoundPrices(), driver=Sqlcipher(KEY)):
            pass

    trio.run(make)
    return path


@pytest.fixture
def database(empty_database: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(empty_database, tmp_path / "ccod.db"))


@pytest.fixture
def storages(database: Path, clock: Clock) -> Storages:
    """Return what opens the encrypted storage, with the usual key or another."""

    def opened(key: str = KEY) -> SqlStorage:
        settings = SqliteSettings(path=str(database))
        return SqlStorage(settings, "machine", RoundPrices(), clock, driver=Sqlcipher(key))

    return opened
