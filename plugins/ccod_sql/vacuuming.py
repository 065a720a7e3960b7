"""Gives back to the file system what the database does not use: in small steps beside a daemon, or all without one."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from pathlib import Path

from msgspec import structs
from sqlalchemy import Connection, Engine

from ccod import Vacuumed
from ccod_sql.engine import SQLITE, Driver
from ccod_sql.sqlite import cut, writer_connection

INCREMENTAL = 2
PAGES = 128
"""So many pages are moved in one step, during which a live line waits."""


class Vacuuming:
    """A step at a time, in a transaction of its own.

    First the full-text index is merged, which frees pages; then pages from the end of the file are moved to where some
    are free, and the file is cut. What stays is the room within pages that are partly empty.
    """

    def __init__(self, writer: Engine, transaction: Callable[[], AbstractContextManager[Connection]]) -> None:
        self._writer = writer
        self._transaction = transaction
        self._merge = -PAGES
        """Below zero until the merging has begun: the index then takes all of its parts together."""

    def step(self) -> Vacuumed:
        if self._merge:
            with self._transaction() as connection:
                merged = self._merges(connection)
                self._merge = PAGES if merged else 0
                return _state(connection, more=True)
        cut(self._writer, PAGES)
        with self._transaction() as connection:
            state = _state(connection, more=False)
        if state.in_steps and state.unused:
            return structs.replace(state, more=True)
        self._merge = -PAGES
        return state

    def _merges(self, connection: Connection) -> bool:
        """Merge a part of the index; tell whether there was something to do, as SQLite's documentation has it."""
        before = _changes(connection)
        connection.exec_driver_sql("INSERT INTO search(search, rank) VALUES ('merge', ?)", (self._merge,))
        return _changes(connection) - before >= 2


def unused(connection: Connection) -> int:
    """Return the bytes of pages that hold nothing."""
    return _number(connection, "PRAGMA freelist_count") * _number(connection, "PRAGMA page_size")


def vacuum_all(path: Path, driver: Driver = SQLITE) -> None:
    """Write the database anew, without anything that is unused; it can be cut in steps then. Nobody else has it open.

    It takes as much room again while it runs, and changes nothing where it does not come to its end.
    """
    with closing(writer_connection(path, driver)) as connection:
        connection.execute(f"PRAGMA auto_vacuum = {INCREMENTAL}")
        connection.execute("INSERT INTO search(search) VALUES ('optimize')")
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _state(connection: Connection, *, more: bool) -> Vacuumed:
    return Vacuumed(unused(connection), more, _can_be_cut(connection))


def _can_be_cut(connection: Connection) -> bool:
    return _number(connection, "PRAGMA auto_vacuum") == INCREMENTAL


def _changes(connection: Connection) -> int:
    return _number(connection, "SELECT total_changes()")


def _number(connection: Connection, question: str) -> int:
    return int(connection.exec_driver_sql(question).scalar() or 0)
