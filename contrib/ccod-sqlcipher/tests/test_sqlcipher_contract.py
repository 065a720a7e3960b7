"""The encrypted storage does what every storage must do."""

from __future__ import annotations

from ccod.testing import StorageContract


class TestSqlcipherStorage(StorageContract):
    pass
