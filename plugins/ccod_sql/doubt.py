"""What a transaction changed of which nobody knows whether it holds: the connection to the server broke meanwhile.

The batch is sent again then, and is no news any more if the first attempt did hold. So its news are kept here, and told
with those of the next batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection, bindparam, select

from ccod import StorageUnavailableError, Stored
from ccod_sql.tables import events

AWAY = "STORAGE_AWAY"
"""The code of the error of a connection that broke. After any other nothing is stored."""
IS_THERE = select(events.c.seq).where(events.c.seq == bindparam("last"))


class Doubt:
    """What is in doubt, the earliest first. Numbers of events are not given twice, so the last of them tells."""

    def __init__(self) -> None:
        self._stored: list[Stored] = []

    @contextmanager
    def noting(self) -> Iterator[list[Stored]]:
        """Surround a transaction, its commit included, which puts into the list what it changes."""
        told: list[Stored] = []
        try:
            yield told
        except StorageUnavailableError as error:
            if error.code == AWAY:
                self._stored += [stored for stored in told if stored.events]
            raise

    def settled(self, connection: Connection) -> Sequence[Stored]:
        """Return what turns out to be stored, and doubt no more. To be asked before anything is written."""
        held = [each for each in self._stored if connection.scalar(IS_THERE, {"last": each.events[-1].seq})]
        self._stored.clear()
        return held


def joined(some: Sequence[Stored]) -> Stored:
    """Return all that was stored as one; what there is to say of a file is the last's."""
    if len(some) == 1:
        return some[0]
    return Stored(
        events=[event for each in some for event in each.events],
        conversations=[*dict.fromkeys(key for each in some for key in each.conversations)],
        projects=[*dict.fromkeys(key for each in some for key in each.projects)],
        file=some[-1].file,
    )
