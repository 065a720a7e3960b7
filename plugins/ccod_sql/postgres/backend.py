"""The database on a server of PostgreSQL."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from pathlib import Path

from sqlalchemy import Connection

from ccod import ConfigError, Stored, Vacuumed, expanded
from ccod_sql import files, meta, schema
from ccod_sql.database import Backend, Changed, Database, Facts, Transaction, Vacuuming
from ccod_sql.postgres import causes, making, notices, turns
from ccod_sql.postgres.connecting import LISTENER, Server, readers, writer
from ccod_sql.postgres.listening import Listening
from ccod_sql.postgres.settings import PostgresSettings
from ccod_sql.postgres.standing import Standing
from ccod_sql.postgres.words import COPYING

PLACE = (
    "SELECT system_identifier || '/' || oid FROM pg_control_system(), pg_database WHERE datname = current_database()"
)
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
        self.is_shared = True
        self.readers = settings.readers
        self.patience = settings.patience

    @contextmanager
    def open(self) -> Iterator[Database]:
        self._make_folder()
        database = PostgresDatabase(self._server, self.readers, self._folder, copying=self._is_copying)
        try:
            with causes.opening(self._server.name):
                database.connect()
            yield database
        finally:
            database.close()

    def _make_folder(self) -> None:
        try:
            files.make_folder(self._folder)
        except OSError as error:
            raise ConfigError(f"[postgres] folder: {self._folder}: {error.strerror}; name another folder") from error


class PostgresDatabase(Database):
    """See `Database`."""

    def __init__(self, server: Server, most_readers: int, folder: Path, *, copying: bool) -> None:
        self._name = server.name
        self._is_copying = copying
        self._node = secrets.token_hex(8)
        self._standing = Standing()
        self._listening = Listening(partial(server.connect, LISTENER), self._node, self._standing.heard)
        self._announced: Stored | None = None
        self.writer = writer(server)
        self.readers = readers(server, most_readers)
        self.folder = folder
        self.place = ""

    def connect(self) -> None:
        """Connect for the first time. Raises the driver's error."""
        with self.writer.connect() as connection:
            self.place = str(connection.exec_driver_sql(PLACE).scalar())
        self._listening.begin()

    def close(self) -> None:
        self._listening.close()
        self.readers.dispose()
        self.writer.dispose()

    def upgrade(self) -> None:
        with self.writer.begin() as connection:
            connection.exec_driver_sql(turns.TAKE_TURN)
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
            version = schema.version_of(connection)
            try:
                missing = schema.missing(version)
            except LookupError:
                raise ConfigError(
                    f"[postgres] url: {self._name}: written by a newer ccod (schema {version!r}, this one knows "
                    f"{schema.HEAD!r}); update ccod, or name another database"
                ) from None
            if missing:
                with causes.changing(self._name):
                    _bring_up(connection, version)
            if not self._is_copying and meta.read(connection, COPYING) is not None:
                raise ConfigError(
                    f"[postgres] url: {self._name}: a copy into it was broken off; `ccod db copy` goes on with it"
                )

    def opening(self) -> AbstractContextManager[None]:
        return causes.opening(self._name)

    def explained(self) -> AbstractContextManager[None]:
        return causes.explained(self._name)

    def writable(self) -> AbstractContextManager[None]:
        """A server is where it is."""
        return self.explained()

    @property
    def revision(self) -> int | None:
        return self._standing.revision if self._listening.is_there else None

    @contextmanager
    def transaction(self, changed: Changed) -> Iterator[Connection]:
        self._announced = None
        with self._standing.writing():
            with self.writer.connect() as connection, connection.begin():
                self._standing.seen(turns.take(connection), changed)
                yield connection
                counted = turns.count(connection, notices.text_of(self._node, self._announced))
            if counted is not None:
                self._standing.wrote(counted)

    def announce(self, stored: Stored) -> None:
        self._announced = stored

    def heard(self, changed: Changed) -> Stored | None:
        with self.explained():
            self._listening.begin()
            with self.readers.connect() as connection:
                revision = turns.read(connection)
        self._standing.seen(revision, changed)
        return self._listening.take()

    def is_keeper(self) -> bool:
        with self.explained(), self.writer.connect() as connection:
            return turns.is_keeper(connection)

    async def called(self) -> None:
        await self._listening.called()

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


def _bring_up(connection: Connection, version: str | None) -> None:
    if version is None:
        making.make(connection)
        schema.stamp(connection)
    else:
        schema.migrate(connection)


class Autovacuum(Vacuuming):
    """PostgreSQL looks after its files by itself."""

    def step(self) -> Vacuumed:
        return Vacuumed(0, more=False, in_steps=True)
