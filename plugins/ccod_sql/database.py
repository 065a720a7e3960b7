"""What a database must offer on which the storage keeps its tables: all that differs from one engine to another.

The statements themselves are the same for all, in SQLAlchemy's words or in SQL that each engine takes. The few for
which that cannot be are in `dialects` and `texts`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from msgspec import Struct
from sqlalchemy import Connection, Engine

from ccod import Vacuumed

Transaction = Callable[[], AbstractContextManager[Connection]]


class Facts(Struct, frozen=True):
    """What there is to know of an engine and of its files, sizes in bytes. `faults` are known ones of its version."""

    engine: str
    version: str
    size: int
    journal: int = 0
    faults: tuple[str, ...] = ()


class Vacuuming(Protocol):
    """Gives unused space back to the file system."""

    def step(self) -> Vacuumed:
        """Do a small part of it."""


class Database(Protocol):
    """An open database, which no other daemon has open. Only one thread at a time may use `writer`.

    `folder` is on this machine, for files beside it. `place` names where the database itself is: what is found in
    another place than last time is a copy.
    """

    writer: Engine
    readers: Engine
    folder: Path
    place: str

    def upgrade(self) -> None:
        """Bring the tables to this version: all that is to do, or nothing."""

    def opening(self) -> AbstractContextManager[None]:
        """Say in one line why the database cannot be opened; StorageUnavailableError where it may be soon."""

    def explained(self) -> AbstractContextManager[None]:
        """Raise StorageUnavailableError where that is why something cannot be read or written now."""

    def writable(self) -> AbstractContextManager[None]:
        """Do as `explained`, and also where what is written would not be found again."""

    def changes(self, connection: Connection) -> int:
        """Return a number that has grown if a row was changed since, by the writer's connection."""

    def skip_lost_numbers(self, connection: Connection) -> None:
        """Leave out the numbers of events that somebody may have heard of, and that a power cut took away again."""

    def unchecked(self) -> AbstractContextManager[None]:
        """Let rows be deleted in any order, and without a search for what leads to each: all of that is deleted too."""

    def durable(self) -> AbstractContextManager[None]:
        """Let what is committed outlive a power cut at once, and all that was committed before it."""

    def leave_no_trace(self) -> None:
        """Overwrite what was deleted as far as the engine can. Raises what `explained` explains."""

    def tidy(self, *, thoroughly: bool = False) -> None:
        """Do what keeps the files beside the database small; nobody is waited for."""

    def vacuuming(self, transaction: Transaction) -> Vacuuming:
        """Return what gives back space, in transactions of the storage's."""

    def facts(self, connection: Connection) -> Facts:
        """Return what there is to know of the engine."""


class Backend(Protocol):
    """A database as it is configured. Not more than `readers` connections read at a time.

    `patience` is for how many seconds opening it is tried again where that may help. `is_shared` is that of the role.
    """

    readers: int
    patience: float
    is_shared: bool = False

    def open(self) -> AbstractContextManager[Database]:
        """Take hold of the database and open it. Raises BusyError where another daemon has it."""
