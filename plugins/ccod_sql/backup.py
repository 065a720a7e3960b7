"""Copies of a database, made while others read and write it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ccod import BusyError
from ccod_sql.engine import SQLITE, Driver

if TYPE_CHECKING:
    import sqlite3

COPIED = "INSERT INTO meta (key, value) VALUES ('file', '') ON CONFLICT (key) DO UPDATE SET value = ''"
"""See `ccod_sql.events.begin`."""


def copy_database(path: Path, to: Path, driver: Driver = SQLITE, *, quick: bool = False) -> None:
    """Copy a database with what is in its journal, as it was at one moment: whole and checked, or not at all.

    Writers go on meanwhile. What is at `to` is replaced, once the copy is on the disk. A `quick` check does not compare
    indexes with their tables, nor look where rows lead. Raises OSError, the driver's error, also for a copy with
    faults, or BusyError.
    """
    with _part(to) as part:
        with closing(read_only(path, driver)) as source, closing(driver.connect(part, "rw")) as copy:
            source.backup(copy)
            _mark(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # a copy is one file, also where nothing can be written
            found = _damage(copy, driver, quick=True) if quick else faults(copy, driver)
        if found:
            raise driver.damage(f"it is damaged: {found[0]}; `ccod db check` tells more")
        sync(part)
        part.replace(to)
        sync(to.parent)


def faults(connection: sqlite3.Connection, driver: Driver = SQLITE, *, quick: bool = False) -> list[str]:
    """Return what is wrong with a database, the first hundred; `quick` does not compare indexes with their tables."""
    try:
        lost = connection.execute("PRAGMA foreign_key_check").fetchmany(100)
    except driver.damage as error:
        return [str(error)]
    return _damage(connection, driver, quick=quick) + [f"row {row} of {table} leads nowhere" for table, row, *_ in lost]


def read_only(path: Path, driver: Driver = SQLITE) -> sqlite3.Connection:
    """Connect without writing: the daemon alone writes and empties the journal."""
    connection = driver.connect(path, "ro")
    connection.execute("PRAGMA query_only = ON")
    return connection


def sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def files_of(path: Path) -> list[Path]:
    """Return the names of a database's files, the one at `path` first."""
    return [path, *(path.with_name(path.name + suffix) for suffix in ("-wal", "-shm", "-journal"))]


def _damage(connection: sqlite3.Connection, driver: Driver, *, quick: bool) -> list[str]:
    try:
        told = connection.execute(f"PRAGMA {'quick' if quick else 'integrity'}_check").fetchall()
    except driver.damage as error:
        return [str(error)]
    return [text for (text,) in told if text != "ok"]


def _mark(copy: sqlite3.Connection) -> None:
    """Let the copy be known as one: numbers of events may be given in it that were given otherwise elsewhere."""
    if copy.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone():
        copy.execute(COPIED)


@contextmanager
def _part(to: Path) -> Iterator[Path]:
    """Yield an empty file beside `to`, which nobody else makes a copy in; it is gone afterwards, whatever happens."""
    part = to.with_name(f"{to.name}.part")
    descriptor = _taken(part)
    try:
        os.ftruncate(descriptor, 0)
        for left in files_of(part)[1:]:  # by a process that was killed
            left.unlink(missing_ok=True)
        yield part
    finally:
        for file in files_of(part):
            file.unlink(missing_ok=True)
        os.close(descriptor)


def _taken(part: Path) -> int:
    """Open and hold a file that is still at its place then."""
    while True:
        descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.fchmod(descriptor, 0o600)
            if part.exists() and os.path.samestat(os.fstat(descriptor), part.stat()):
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            raise BusyError(f"{part}: another ccod makes this copy; wait until it is done") from None
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
