"""For tests of plugins: fixtures, and for each role the contract that it must keep.

Install `ccod[testing]`, set `trio_mode = true` for pytest, and write `pytest_plugins = ["ccod.testing"]` in your
`conftest.py`. A test class inherits a contract and offers the fixture that it asks for.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from ccod.testing.asking import Clock, Storages
from ccod.testing.auth import AuthContract, Auths
from ccod.testing.cache import CacheContract, Caches
from ccod.testing.daemon import Daemon, ending, http_client
from ccod.testing.home import Home, Settings
from ccod.testing.house import observatory_of
from ccod.testing.intake import MemoryIntake
from ccod.testing.parser import ParserContract
from ccod.testing.prices import PricesContract, RoundPrices
from ccod.testing.shelf import Shelf
from ccod.testing.sink import SinkContract, Sinks
from ccod.testing.source import SourceContract, World
from ccod.testing.storage import StorageContract
from ccod.testing.transcripts import Transcript
from ccod.testing.transport import TransportContract, Transports
from ccod.testing.waiting import eventually, limit

__all__ = [
    "AuthContract",
    "Auths",
    "CacheContract",
    "Caches",
    "Clock",
    "Daemon",
    "Home",
    "MemoryIntake",
    "ParserContract",
    "PricesContract",
    "RoundPrices",
    "Shelf",
    "SinkContract",
    "Sinks",
    "SourceContract",
    "StorageContract",
    "Storages",
    "Transcript",
    "TransportContract",
    "Transports",
    "World",
    "eventually",
    "limit",
    "observatory_of",
]

Daemons = Callable[..., AbstractAsyncContextManager[Daemon]]
"""`open_daemon(settings, start=True)`: see the fixture."""


@pytest.fixture
def clock() -> Clock:
    """Return a time of day that stands still until a test sets `now`, in milliseconds."""
    return Clock()


@pytest.fixture
def open_daemon(tmp_path: Path) -> Daemons:
    """Return what runs daemons of their own processes, on folders below `tmp_path`, with all installed plugins.

    `async with open_daemon({"mine": {"key": 1}}) as daemon:` gives it settings; `start=False` lets you prepare its
    `home` before `await daemon.start()`.
    """
    count = 0

    @asynccontextmanager
    async def opened(settings: Settings | None = None, *, start: bool = True) -> AsyncIterator[Daemon]:
        nonlocal count
        count += 1
        home = Home(tmp_path / f"home{count}", settings)
        async with http_client() as client, ending(Daemon(home, client)) as daemon:
            if start:
                await daemon.start()
            yield daemon

    return opened


@pytest.fixture
async def daemon(open_daemon: Daemons) -> AsyncIterator[Daemon]:
    """Run a daemon with default settings; its `client` is an `httpx.AsyncClient` that knows where it is."""
    async with open_daemon() as running:
        yield running
