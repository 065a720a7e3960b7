"""Tells why PostgreSQL could not read or write: what is wrong outside of ccod, and what mends that."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy.exc import DBAPIError

from ccod import ConfigError, StorageUnavailableError, UnavailableError
from ccod_sql.causes import FAILING, FULL, LOCKED, READ_ONLY

FORBIDDEN = "42501"
AWAY = "STORAGE_AWAY"
SLOW = "STORAGE_SLOW"

FIXES = {
    AWAY: "start PostgreSQL, and look at the network between",
    FULL: "make room on the disk of PostgreSQL",
    READ_ONLY: "let ccod write: name the primary server, and a user that owns the tables or may write them",
    LOCKED: "wait until it is done, or stop what writes to this database for so long",
    FAILING: "look into the log of PostgreSQL",
    SLOW: "look what PostgreSQL is busy with, or raise [postgres] statement_timeout",
}
STATES = {
    "08": AWAY,
    "53100": FULL,
    "53": AWAY,  # too many connections, out of memory
    "57014": SLOW,
    "57P": AWAY,  # shut down, crashed, starting up
    "25006": READ_ONLY,
    "25P03": AWAY,  # the server ended a transaction that stood still
    FORBIDDEN: READ_ONLY,
    "55P03": LOCKED,
    "40": LOCKED,  # a deadlock, or what could not be put in order
    "58": FAILING,
}
"""By the beginning of SQLSTATE, the longest that fits. What is not among them is a fault, and is raised as such."""
REFUSED = {
    "28": "user or password is refused",
    "3D000": "there is no such database: `createdb` makes it",
    "3F000": "there is no such schema",
}
"""What another configuration mends, or a person."""

SAID = {
    re.compile('role "[^"]*" does not exist|authentication failed|no password supplied|no pg_hba.conf entry'): "28",
    re.compile('database "[^"]*" does not exist'): "3D000",
}
"""What stands in errors of connecting, which bear no SQLSTATE."""

Error = DBAPIError | psycopg.Error


class ServerUnavailableError(StorageUnavailableError):
    """A service that ends with it is to be started again: nobody holds the database, and a server comes back."""

    exit_code = UnavailableError.exit_code


@contextmanager
def explained(name: str) -> Iterator[None]:
    """Raise StorageUnavailableError where that is why the database of this name cannot be read or written."""
    try:
        yield
    except (DBAPIError, psycopg.Error) as error:
        cause = cause_of(name, error)
        if cause is None:
            raise
        raise cause from error


@contextmanager
def opening(name: str) -> Iterator[None]:
    """Say in one line why a database cannot be opened; StorageUnavailableError where the server may come yet."""
    try:
        yield
    except (DBAPIError, psycopg.Error) as error:
        original = _original(error)
        cause = cause_of(name, error)
        if (problem := _refused(original)) is not None:
            raise ConfigError(f"[postgres] url: {name}: {problem}") from error
        if cause is None or cause.code == READ_ONLY:
            raise UnavailableError(f"{name}: {_line(original)}; {FIXES[FAILING]}") from error
        raise cause from error


@contextmanager
def changing(name: str) -> Iterator[None]:
    """Say who may make or change tables, where that is not this user. A service that ends with it is started again."""
    try:
        yield
    except (DBAPIError, psycopg.Error) as error:
        original = _original(error)
        if getattr(original, "sqlstate", None) != FORBIDDEN:
            raise
        raise UnavailableError(
            f"{name}: {_line(original)}, and its tables are of an older ccod, or none yet; "
            "start a daemon of this version first that may make them, such as a node"
        ) from error


def cause_of(name: str, error: Error) -> StorageUnavailableError | None:
    """Return what an error means for who wants to write, or None where trying again later does not help."""
    original = _original(error)
    state = getattr(original, "sqlstate", None) or ""
    found = max((known for known in STATES if state.startswith(known)), key=len, default=None)
    if found is not None:
        code = STATES[found]
    elif not state and isinstance(original, psycopg.OperationalError):
        code = AWAY  # no server answered, or the connection was lost
    else:
        return None
    return ServerUnavailableError(f"{name}: {_line(original)}", code, FIXES[code])


def _refused(error: BaseException | None) -> str | None:
    """Return why a server that is there does not let ccod in."""
    state = getattr(error, "sqlstate", None) or ""
    text = str(error)
    for known, problem in REFUSED.items():
        if state.startswith(known):
            return problem
    return next((REFUSED[state] for words, state in SAID.items() if words.search(text)), None)


def _line(error: BaseException | None) -> str:
    """Return an error's first line; the others are about the statement."""
    return next(iter(str(error).strip().splitlines()), "") or type(error).__name__


def _original(error: Error) -> BaseException | None:
    return error.orig if isinstance(error, DBAPIError) else error
