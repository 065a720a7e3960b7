"""Tells why SQLite could not read or write: what is wrong outside of it, and what mends that."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import DatabaseError, DBAPIError

from ccod import StorageUnavailableError, UnavailableError
from ccod_sql.engine import SQLITE, Driver

FULL = "DISK_FULL"
READ_ONLY = "STORAGE_READ_ONLY"
LOCKED = "STORAGE_LOCKED"
MOVED = "STORAGE_MOVED"
FAILING = "STORAGE_FAILING"

FIXES = {
    FULL: "make room on its disk",
    READ_ONLY: "make the file, its folder and its file system writable again",
    LOCKED: "close the other program that holds a lock on it",
    MOVED: "put it back, or restart ccod",
    FAILING: "look for errors of the disk in the system's log, and for a quota or a limit on the size of files",
}
CODES = {
    sqlite3.SQLITE_FULL: FULL,
    sqlite3.SQLITE_READONLY: READ_ONLY,
    sqlite3.SQLITE_PERM: READ_ONLY,
    sqlite3.SQLITE_BUSY: LOCKED,
    sqlite3.SQLITE_LOCKED: LOCKED,
    sqlite3.SQLITE_PROTOCOL: LOCKED,
    sqlite3.SQLITE_IOERR: FAILING,
    sqlite3.SQLITE_CANTOPEN: FAILING,
}
"""By the primary code of an error. What is not among them is a fault, and is raised as such."""


@contextmanager
def explained(path: Path, driver: Driver = SQLITE) -> Iterator[None]:
    """Raise StorageUnavailableError where that is why the database at `path` cannot be read or written."""
    try:
        yield
    except (DBAPIError, driver.error) as error:
        cause = cause_of(path, error)
        if cause is None:
            raise
        raise cause from error


@contextmanager
def opening(path: Path, driver: Driver = SQLITE) -> Iterator[None]:
    """Say in one line why a database cannot be opened: StorageUnavailableError where that is another program's lock."""
    try:
        yield
    except (DatabaseError, driver.damage) as error:
        cause = cause_of(path, error)
        if cause is not None and cause.code == LOCKED:
            raise cause from error
        if cause is not None:
            raise UnavailableError(str(cause)) from error
        fix = "mend or restore it, or name another file with --database"
        raise UnavailableError(f"{path}: {_original(error)}; {fix}") from error


def cause_of(path: Path, error: DBAPIError | sqlite3.Error) -> StorageUnavailableError | None:
    """Return what an error means for who wants to write, or None where trying again later does not help."""
    original = _original(error)
    code = CODES.get(getattr(original, "sqlite_errorcode", 0) & 0xFF)
    if code is None:
        return None
    if code == FAILING:
        code = _seen_from_outside(path)
    return because(path, code, str(original))


def because(path: Path, code: str, text: str) -> StorageUnavailableError:
    return StorageUnavailableError(f"{path}: {text}", code, FIXES[code])


def _original(error: DBAPIError | sqlite3.Error) -> BaseException | None:
    """Return the driver's own error."""
    return error.orig if isinstance(error, DBAPIError) else error


def _seen_from_outside(path: Path) -> str:
    """SQLite says "disk I/O error" also of a file system that has become read-only, and of some that are full."""
    try:
        found = os.statvfs(path.parent)
    except OSError:
        return FAILING
    if found.f_flag & os.ST_RDONLY or not os.access(path, os.W_OK):
        return READ_ONLY
    return FULL if found.f_bavail == 0 else FAILING
