from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
import trio

from ccod import Parser
from ccod.testing.asking import Clock
from ccod_sql.postgres.settings import PostgresSettings
from ccod_sql.settings import SqliteSettings
from ccod_sql.storage import SqlStorage, TableStorage
from tests.plugins.sql.feeding import PARSERS
from tests.postgres import Server, reason_to_skip, running
from tests.prices import PRICES

OpenStorage = Callable[[], TableStorage]
OpenNode = Callable[..., TableStorage]
NAME = "ccod"


def opened(
    url: str, folder: Path, clock: Clock, parsers: Mapping[str, Parser] = PARSERS, machine: str = "machine"
) -> TableStorage:
    """Return a storage that is to be entered."""
    from ccod_sql.postgres.backend import OnPostgres

    settings = PostgresSettings(url=url, folder=str(folder), patience=0)
    return TableStorage(OnPostgres(settings), machine, PRICES, clock, parsers)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with a database that has tables: emptying it is much faster than making one."""
    if reason := reason_to_skip():
        pytest.skip(reason)

    async def make(server: Server) -> None:
        async with opened(server.url(NAME), tmp_path_factory.mktemp("made"), Clock()):
            pass

    with running() as server:
        server.run(f"CREATE DATABASE {NAME}")
        trio.run(make, server)
        yield server


@pytest.fixture
def url(server: Server) -> str:
    """Where a database without rows is."""
    server.empty(NAME)
    return server.url(NAME)


@pytest.fixture
def storages(url: str, clock: Clock, tmp_path: Path) -> OpenStorage:
    return lambda: opened(url, tmp_path, clock, {})


@pytest.fixture
def node(url: str, clock: Clock, tmp_path: Path) -> OpenNode:
    """Opens one of several daemons' storages on one database, by the name of its machine."""
    return lambda machine, parsers=PARSERS: opened(url, tmp_path, clock, parsers, machine)


@pytest.fixture(scope="session")
def empty_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of SQLite with tables and no rows, to compare with."""
    path = tmp_path_factory.mktemp("empty") / "empty.db"

    async def make() -> None:
        async with SqlStorage(SqliteSettings(path=str(path)), "machine", PRICES):
            pass

    trio.run(make)
    return path
