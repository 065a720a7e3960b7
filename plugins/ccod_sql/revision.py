"""A number for each state of the database, by which readers know that nothing has changed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection


class Revision:
    """Grows with each transaction that changes a row; all changes pass through one writer, and so by here."""

    def __init__(self) -> None:
        self._number = 0
        self._writing = False

    @property
    def number(self) -> int | None:
        """The revision, None while something is being written: it is seen by some readers before others then."""
        return None if self._writing else self._number

    @contextmanager
    def writing(self, connection: Connection) -> Iterator[None]:
        """Surround a transaction of the writer's, its commit included."""
        before = _changes(connection)
        self._writing = True
        try:
            yield
        finally:
            self._number += _changes(connection) != before
            self._writing = False


def _changes(connection: Connection) -> int:
    """Return how many rows the connection has changed so far, those that were rolled back among them."""
    changes: int = connection.connection.driver_connection.total_changes  # type: ignore[union-attr]
    return changes
