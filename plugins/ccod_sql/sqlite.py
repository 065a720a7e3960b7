"""How SQLite is opened: one connection that writes and checkpoints, some that only read, and their pragmas."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.pool import QueuePool, StaticPool

from ccod import ConfigError
from ccod_sql import causes, files
from ccod_sql.engine import SQLITE, Driver
from ccod_sql.fts5 import Fts5
from ccod_sql.settings import SqliteSettings
from ccod_sql.texts import OPTION

if TYPE_CHECKING:
    import sqlite3

MARK = b"ccod"
# Each is a transaction of its own in a new file.
NEW = ("auto_vacuum = INCREMENTAL", f"application_id = {int.from_bytes(MARK)}")
WRITER = (
    NEW[0],  # holds once `ccod db vacuum` has written the database anew
    "journal_mode = WAL",
    "synchronous = NORMAL",
    "foreign_keys = ON",
    "trusted_schema = OFF",
    # What is merged, derived again or forgotten is overwritten, and not only out of use.
    "secure_delete = ON",
    "cache_size = -16384",
    "wal_autocheckpoint = 4000",
    "journal_size_limit = 67108864",
)
LOCK_SECONDS = 0.5
LONG_JOURNAL = 4_000_000
OPTIONS = {OPTION: Fts5()}
READER = ("query_only = ON", "trusted_schema = OFF", "wal_autocheckpoint = 0")


class OpenFile(Struct, frozen=True):
    """An open database file. Only one thread at a time may use `writer`. `unclean` is one that was not closed."""

    path: Path
    writer: Engine
    readers: Engine
    inode: int
    unclean: bool

    def in_place(self) -> bool:
        """Tell whether the file that is written to is still the one at `path`."""
        try:
            return self.path.stat().st_ino == self.inode
        except OSError:
            return False


@contextmanager
def open_database(settings: SqliteSettings, driver: Driver = SQLITE) -> Iterator[OpenFile]:
    """Take hold of the database and open it; the writer closes last, which empties the journal into the file."""
    try:
        path = Path(settings.path).expanduser().resolve()
    except (RuntimeError, ValueError) as error:
        raise ConfigError(f"[sqlite] path: {settings.path!r} is no path: {error}; name a file of your own") from error
    files.prepare(path, MARK)
    driver.require_own(path)
    with files.held(path):
        with causes.opening(path, driver):
            _make(path, driver)
        unclean = journal_size(path) > 0
        writer = _writer(path, driver)
        readers = _readers(path, driver, settings.busy_timeout, settings.readers)
        try:
            yield OpenFile(path, writer, readers, path.stat().st_ino, unclean)
        finally:
            readers.dispose()
            writer.dispose()


@contextmanager
def unchecked(writer: Engine) -> Iterator[None]:
    """Let rows be deleted without a search for what leads to each, where all of that is deleted too."""
    with _pragmas(writer, "foreign_keys = OFF", "foreign_keys = ON"):
        yield


@contextmanager
def durable(writer: Engine) -> Iterator[None]:
    """Let what is committed outlive a power cut at once, and all that was committed before it."""
    with _pragmas(writer, "synchronous = FULL", "synchronous = NORMAL"):
        yield


def empty_journal(writer: Engine) -> None:
    """Bring all that is in the journal into the database, and leave nothing in it; readers are waited for."""
    _pragma(writer, "wal_checkpoint(TRUNCATE)")


def shorten_journal(file: OpenFile, longest: int = LONG_JOURNAL) -> None:
    """Empty a journal that is longer than `longest`, unless somebody reads: nobody is waited for."""
    if journal_size(file.path) > longest:
        with _pragmas(file.writer, "busy_timeout = 0", f"busy_timeout = {int(1000 * LOCK_SECONDS)}"):
            empty_journal(file.writer)


def cut(writer: Engine, pages: int) -> None:
    """Move so many pages into free ones and cut the file, where the database was made for that.

    The statement moves one page for each of its rows. They have no columns, so that only `executescript` takes all.
    """
    connection = writer.raw_connection()
    try:
        connection.cursor().executescript(f"PRAGMA incremental_vacuum({pages})")
    finally:
        connection.close()


def journal_size(path: Path) -> int:
    """Return the bytes of the journal of the database at `path`."""
    try:
        return path.with_name(path.name + "-wal").stat().st_size
    except FileNotFoundError:
        return 0


@contextmanager
def _pragmas(writer: Engine, first: str, last: str) -> Iterator[None]:
    _pragma(writer, first)
    try:
        yield
    finally:
        _pragma(writer, last)


def _pragma(writer: Engine, text: str) -> None:
    """Run a pragma outside of any transaction."""
    connection = writer.raw_connection()
    try:
        connection.cursor().execute(f"PRAGMA {text}").fetchall()
    finally:
        connection.close()


def _make(path: Path, driver: Driver) -> None:
    """Put a new database in the place of an empty file, whole: whatever happens meanwhile, it bears the mark."""
    if path.stat().st_size:
        return
    with files.replacing(path) as part, closing(driver.connect(part, "rw")) as connection:
        for pragma in NEW:
            connection.execute(f"PRAGMA {pragma}")


def _writer(path: Path, driver: Driver) -> Engine:
    """The writer waits for another program's lock only a moment: whoever writes tries again, and can be stopped."""
    connect = partial(writer_connection, path, driver)
    engine = create_engine(
        "sqlite://", module=driver.module, creator=connect, poolclass=StaticPool, execution_options=OPTIONS
    )
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    return engine


def writer_connection(path: Path, driver: Driver) -> sqlite3.Connection:
    """Return a connection as the daemon's writer has it, also for a command that holds the database."""
    return _connect(path, driver, "rw", LOCK_SECONDS, WRITER)


def _readers(path: Path, driver: Driver, timeout: float, most: int) -> Engine:
    engine = create_engine(
        "sqlite://",
        module=driver.module,
        creator=lambda: _connect(path, driver, "ro", timeout, READER),
        poolclass=QueuePool,
        pool_size=most,
        max_overflow=0,
        pool_use_lifo=True,
        execution_options=OPTIONS,
    )
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    return engine


def _connect(path: Path, driver: Driver, mode: str, timeout: float, pragmas: Iterable[str]) -> sqlite3.Connection:
    connection = driver.connect(path, mode, timeout)
    try:
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")
    except driver.error:
        connection.close()
        raise
    return connection
