"""The database in one SQLite file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial

import trio
from sqlalchemy import Connection

from ccod import Stored
from ccod_sql import causes, schema, sqlite
from ccod_sql.database import Backend, Changed, Database, Facts, Transaction
from ccod_sql.engine import SQLITE, Driver
from ccod_sql.revision import Revision
from ccod_sql.settings import SqliteSettings
from ccod_sql.vacuuming import Vacuuming

SKIP = "UPDATE sqlite_sequence SET seq = seq + ? WHERE name = 'events'"
LOST_AT_MOST = 1_000_000
"""More events than a power cut can take away again: that many numbers are left out after one."""


class OnSqlite(Backend):
    """A file that `driver` opens. See `Backend`."""

    def __init__(self, settings: SqliteSettings, driver: Driver = SQLITE) -> None:
        self._settings = settings
        self._driver = driver
        self.is_shared = False
        self.readers = settings.readers
        self.patience = settings.busy_timeout

    @contextmanager
    def open(self) -> Iterator[Database]:
        with sqlite.open_database(self._settings, self._driver) as file:
            yield SqliteDatabase(file, self._driver)


class SqliteDatabase(Database):
    """See `Database`."""

    def __init__(self, file: sqlite.OpenFile, driver: Driver) -> None:
        self._file = file
        self._driver = driver
        self._revision = Revision()
        self.path = file.path
        self.writer = file.writer
        self.readers = file.readers
        self.folder = file.path.parent
        self.place = str(file.inode)

    def upgrade(self) -> None:
        schema.upgrade(self.writer, self.path, self._driver)

    def opening(self) -> AbstractContextManager[None]:
        return causes.opening(self.path, self._driver)

    def explained(self) -> AbstractContextManager[None]:
        return causes.explained(self.path, self._driver)

    @contextmanager
    def writable(self) -> Iterator[None]:
        if not self._file.in_place():
            raise causes.because(self.path, causes.MOVED, "was moved or deleted")
        with self.explained():
            yield

    @property
    def revision(self) -> int | None:
        return self._revision.number

    @contextmanager
    def transaction(self, changed: Changed) -> Iterator[Connection]:  # noqa: ARG002 - nobody else writes
        with (
            self.writer.connect() as connection,
            self._revision.writing(partial(_changes, connection)),
            connection.begin(),
        ):
            yield connection

    def announce(self, stored: Stored) -> None:
        """No other daemon has the file."""

    def heard(self, changed: Changed) -> Stored | None:  # noqa: ARG002 - nobody else writes
        return None

    def is_keeper(self) -> bool:
        return True

    async def called(self) -> None:
        await trio.sleep_forever()

    def skip_lost_numbers(self, connection: Connection) -> None:
        """A database that was not closed may have lost its last transactions."""
        if self._file.unclean:
            connection.exec_driver_sql(SKIP, (LOST_AT_MOST,))

    def unchecked(self) -> AbstractContextManager[None]:
        return sqlite.unchecked(self.writer)

    def durable(self) -> AbstractContextManager[None]:
        return sqlite.durable(self.writer)

    def leave_no_trace(self) -> None:
        """What was deleted is overwritten in the file by itself, and stands in the journal until that is emptied."""
        sqlite.empty_journal(self.writer)

    def tidy(self, *, thoroughly: bool = False) -> None:
        sqlite.shorten_journal(self._file, 0 if thoroughly else sqlite.LONG_JOURNAL)

    def vacuuming(self, transaction: Transaction) -> Vacuuming:
        return Vacuuming(self.writer, transaction)

    def facts(self, connection: Connection) -> Facts:  # noqa: ARG002 - the files tell more
        size = self.path.stat().st_size if self.path.exists() else 0
        journal = sqlite.journal_size(self.path)
        return Facts(self._driver.name, self._driver.version, size, journal, self._driver.faults)


def _changes(connection: Connection) -> int:
    """Return how many rows the connection has changed so far, those that were rolled back among them."""
    changes: int = connection.connection.driver_connection.total_changes  # type: ignore[union-attr]
    return changes
