"""A look into a daemon's database, opened as its storage opens it: `sqlite3` itself cannot read each of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from ccod import Settings
from ccod.configuration import Configuration
from ccod.manager import Manager
from ccod_sql.engine import driver_of
from tests.e2e.home import Home


@contextmanager
def opened(home: Home, *, path: Path | None = None, mode: str = "ro") -> Iterator[sqlite3.Connection]:
    """Connect to the database of `home`, or to another file written with its settings; `mode` is "rw" or "ro"."""
    driver = driver_of(_settings(home))
    assert driver is not None, "another storage keeps no SQLite file"
    with closing(driver.connect(path or home.database, mode)) as connection:
        yield connection


def _settings(home: Home) -> Settings:
    configuration = Configuration(home.config, home.environment)
    core = configuration.core()
    manager = Manager(core.disable, load=core.load_plugins)
    return configuration.settings(manager.schemas(), absent=manager.absent)
