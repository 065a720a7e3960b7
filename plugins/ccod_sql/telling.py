"""Which of the stored events were told in this process: all, in their order, whichever daemon stored them.

What another daemon stored is found in the table of events, and so is what this one stored without hearing of it,
because the connection broke meanwhile. Both are told before what comes after them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection

from ccod import Event, EventQuery, Stored
from ccod_sql import events

AT_ONCE = 500


class Missed(Struct, frozen=True):
    """The first events that were not told here, and whether there are more."""

    events: Sequence[Event]
    more: bool

    @property
    def stored(self) -> Stored:
        return Stored(
            self.events,
            _distinct(event.conversation_id for event in self.events),
            _distinct(event.project_id for event in self.events),
        )


class Telling:
    """Knows the number of the last event that was told. Only the writer's thread asks it.

    `is_behind` says that there may be events behind that number.
    """

    def __init__(self, told: int) -> None:
        self._told = told
        self.is_behind = False

    def missed(self, connection: Connection) -> Missed | None:
        """Return what is to be told first; None where nothing can be missing."""
        if not self.is_behind:
            return None
        found = events.find(connection, EventQuery(after=self._told, limit=AT_ONCE))
        more = bool(found) and bool(events.find(connection, EventQuery(after=found[-1].seq, limit=1)))
        return Missed(found, more)

    def told(self, missed: Missed | None, own: Stored | None = None) -> Stored | None:
        """Return what is to be told of now, and note that it is; None if that is nothing. `own` is committed.

        Where more is missing, own events are found behind that later, as those of others are.
        """
        some = []
        if missed is not None:
            self._advance(missed.events)
            self.is_behind = missed.more
            if missed.events:
                some.append(missed.stored)
            if missed.more and own is not None:
                own = replace(own, events=())
        if own is not None:
            self._advance(own.events)
            some.append(own)
        return joined(some) if some else None

    def _advance(self, some: Sequence[Event]) -> None:
        if some:
            self._told = some[-1].seq


def joined(some: Sequence[Stored]) -> Stored:
    """Return all that was stored as one. Names of the last come first, and what there is to say of a file is its."""
    if len(some) == 1:
        return some[0]
    return Stored(
        events=[event for each in some for event in each.events],
        conversations=_distinct(key for each in reversed(some) for key in each.conversations),
        projects=_distinct(key for each in reversed(some) for key in each.projects),
        file=some[-1].file,
    )


def _distinct(keys: Iterable[str | None]) -> Sequence[str]:
    return [*dict.fromkeys(key for key in keys if key is not None)]
