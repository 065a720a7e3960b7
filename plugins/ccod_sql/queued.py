"""Recognises a prompt that was queued and is told twice: as an attachment, and by a user line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from sqlalchemy import Connection, bindparam, func, select

from ccod import Entry
from ccod_sql import rows
from ccod_sql.tables import entries

COUNTS = (
    select(entries.c.digest, entries.c.type, func.count())
    .where(
        entries.c.conversation_id == bindparam("conversation"),
        entries.c.agent == bindparam("agent"),
        entries.c.uuid.is_not(None),
        entries.c.digest.in_(bindparam("digests", expanding=True)),
        ~entries.c.duplicate,
    )
    .group_by(entries.c.digest, entries.c.type)
)


class Queued:
    """Says of each entry that tells of a queued prompt whether it is known already.

    The same words can be typed again, so the n-th entry of one type repeats the n-th of another.
    """

    def __init__(self, connection: Connection, stream: rows.Stream) -> None:
        self._connection = connection
        self._of = {"conversation": stream.conversation_id, "agent": stream.agent}
        self._counts = Counter[tuple[int, str]]()

    def load(self, told: Iterable[Entry]) -> None:
        """Look up what is stored of the prompts that `told` tell of."""
        digests = {entry.queued for entry in told if entry.queued is not None}
        if digests:
            for digest, type_, count in self._connection.execute(COUNTS, self._of | {"digests": list(digests)}):
                self._counts[digest, type_] = count

    def is_known(self, entry: Entry) -> bool:
        assert entry.queued is not None
        self._counts[entry.queued, entry.type] += 1
        number = self._counts[entry.queued, entry.type]
        return any(
            count >= number
            for (digest, type_), count in self._counts.items()
            if digest == entry.queued and type_ != entry.type
        )
