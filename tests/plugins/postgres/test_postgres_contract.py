"""The PostgreSQL storage does what every storage must do."""

from __future__ import annotations

from ccod.testing.storage import StorageContract


class TestPostgresStorage(StorageContract):
    pass
