"""The database on a server of PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from sqlalchemy import Connection, Engine, event

from ccod import BusyError, ConfigError, StorageUnavailableError, Vacuumed, expanded
from ccod_sql import files, meta, schema
from ccod_sql.causes import LOCKED
from ccod_sql.database import Backend, Database, Facts, Transaction, Vacuuming
from ccod_sql.postgres import causes, making
from ccod_sql.postgres.connecting import HeldError, Server, readers, writer
from ccod_sql.postgres.settings import PostgresSettings
from ccod_sql.postgres.words import COPYING

PLACE = (
    "SELECT system_identifier || '/' || oid FROM pg_control_system(), pg_database WHERE datname = current_database()"
)
HAS_WRITTEN = "SELECT pg_current_xact_id_if_assigned() IS NOT NULL"
FACTS = "SELECT current_setting('server_version'), pg_database_size(current_database())"


class OnPostgres(Backend):
    """See `Backend`. Raises ConfigError for a URL that says nothing.

    Only who is `copying` into the database opens one into which a copy was broken off.
    """

    is_shared = True

    def __init__(self, settings: PostgresSettings, *, copying: bool = False) -> None:
        self._is_copying = copying
        self._server = Server.of(settings)
        self._folder = expanded(settings.folder)
        self.readers = settings.readers
        self.patience = settings.patience

    @contextmanager
    def open(self) -> Iterator[Database]:
        self._make_folder()
        writing, reading = writer(self._server), readers(self._server, self.readers)
        try:
            place = self._held(writing)
            name, folder, copying = self._server.name, self._folder, self._is_copying
            yield PostgresDatabase(name, writing, reading, folder, place, copying=copying)
        finally:
            reading.dispose()
            writing.dispose()

    def _make_folder(self) -> None:
        try:
            files.make_folder(self._folder)
        except OSError as error:
            raise ConfigError(f"[postgres] folder: {self._folder}: {error.strerror}; name another folder") from error

    def _held(self, writing: Engine) -> str:
        """Connect for the first time, and return where the database is."""
        name = self._server.name
        try:
            with causes.opening(name), writing.connect() as connection:
                return str(connection.exec_driver_sql(PLACE).scalar())
        except HeldError as error:
            fix = "stop that daemon, or name another database with [postgres] url"
            raise BusyError(f"{name}: in use by {error}; {fix}") from None


class PostgresDatabase(Database):
    """See `Database`."""

    def __init__(  # noqa: PLR0913
        self, name: str, writing: Engine, reading: Engine, folder: Path, place: str, *, copying: bool
    ) -> None:
        self._name = name
        self._changes = 0
        self._is_copying = copying
        self.writer = writing
        self.readers = reading
        self.folder = folder
        self.place = place
        event.listen(writing, "commit", self._note)

    def _note(self, connection: Connection) -> None:
        """Note before it ends whether a transaction has written anything."""
        self._changes += bool(connection.exec_driver_sql(HAS_WRITTEN).scalar())

    def upgrade(self) -> None:
        with self.writer.begin() as connection:
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
            version = schema.version_of(connection)
            try:
                missing = schema.missing(version)
            except LookupError:
                raise ConfigError(
                    f"[postgres] url: {self._name}: written by a newer ccod (schema {version!r}, this one knows "
                    f"{schema.HEAD!r}); update ccod, or name another database"
                ) from None
            if version is None:
                making.make(connection)
                schema.stamp(connection)
            elif missing:
                schema.migrate(connection)
            if not self._is_copying and meta.read(connection, COPYING) is not None:
                raise ConfigError(
                    f"[postgres] url: {self._name}: a copy into it was broken off; `ccod db copy` goes on with it"
                )

    def opening(self) -> AbstractContextManager[None]:
        return causes.opening(self._name)

    @contextmanager
    def explained(self) -> Iterator[None]:
        try:
            with causes.explained(self._name):
                yield
        except HeldError as error:  # while the connection was lost
            raise StorageUnavailableError(f"{self._name}: is in use by {error}", LOCKED, causes.FIXES[LOCKED]) from None

    def writable(self) -> AbstractContextManager[None]:
        """A server is where it is."""
        return self.explained()

    def changes(self, connection: Connection) -> int:  # noqa: ARG002 - which has no such number
        """Return how many transactions wrote something."""
        return self._changes

    def skip_lost_numbers(self, connection: Connection) -> None:
        """None are: what is committed is on the disk."""

    def unchecked(self) -> AbstractContextManager[None]:
        """Where rows lead is looked at when a transaction ends."""
        return nullcontext()

    def durable(self) -> AbstractContextManager[None]:
        """All is."""
        return nullcontext()

    def leave_no_trace(self) -> None:
        """PostgreSQL's own vacuum and its log overwrite, in their time."""

    def tidy(self, *, thoroughly: bool = False) -> None:
        """There are no files beside it."""

    def vacuuming(self, transaction: Transaction) -> Vacuuming:  # noqa: ARG002 - nothing is written
        return Autovacuum()

    def facts(self, connection: Connection) -> Facts:
        version, size = connection.exec_driver_sql(FACTS).one()
        return Facts("PostgreSQL", version, size)


class Autovacuum(Vacuuming):
    """PostgreSQL looks after its files by itself."""

    def step(self) -> Vacuumed:
        return Vacuumed(0, more=False, in_steps=True)
