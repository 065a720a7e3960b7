from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ccod.testing import Clock, RoundPrices
from ccod_sql.settings import SqliteSettings
from ccod_sql.storage import SqlStorage
from ccod_sqlcipher.driver import Sqlcipher

KEY = "00112233445566778899aabbccddeeff0f1e2d3c4b5a69788796a5b4c3d2e1f0"

Storages = Callable[..., SqlStorage]


@pytest.fixture
def storages(tmp_path: Path, clock: Clock) -> Storages:
    """Return what opens the encrypted storage at `tmp_path`, with the usual key or another."""

    def opened(key: str = KEY) -> SqlStorage:
        settings = SqliteSettings(path=str(tmp_path / "ccod.db"))
        return SqlStorage(settings, "machine", RoundPrices(), clock, driver=Sqlcipher(key))

    return opened
