"""A number for each state of the database, by which readers know that nothing has changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


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
    def writing(self, changes: Callable[[], int]) -> Iterator[None]:
        """Surround a transaction, its commit included; `changes` grows with the rows that it changes."""
        before = changes()
        self._writing = True
        try:
            yield
        finally:
            self._number += changes() != before
            self._writing = False
