"""Recognises entries that were stored before: by their uuid, or, of those without one, by their bytes.

A file that was rewritten is read again as another stream, and a session may have two files.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b

from sqlalchemy import Connection, bindparam, func, select

from ccod import Entry, Record
from ccod_sql import rows
from ccod_sql.rows import Rows, portions
from ccod_sql.tables import entries, streams

OTHERS = select(streams.c.id).where(
    streams.c.conversation_id == bindparam("conversation"),
    streams.c.agent == bindparam("agent"),
    streams.c.id != bindparam("stream"),
)
COUNTS = (
    select(entries.c.stream_id, entries.c.digest, func.count())
    .where(
        entries.c.conversation_id == bindparam("conversation"),
        entries.c.agent == bindparam("agent"),
        entries.c.uuid.is_(None),
        entries.c.digest.in_(bindparam("digests", expanding=True)),
    )
    .group_by(entries.c.stream_id, entries.c.digest)
)


class Repeats:
    """Says of each entry in turn whether it repeats another of the same conversation and agent.

    A uuid stands for one entry, wherever it is met. Of entries without one that are equal, the n-th in a stream
    repeats the n-th in another: within one stream they are as many as they are.
    """

    def __init__(
        self, table: Rows[rows.Entry], connection: Connection, stream: rows.Stream, digests: Mapping[int, int]
    ) -> None:
        self._table = table
        self._connection = connection
        self._stream = stream
        self.digests = digests
        self._streams: dict[str, int] = {}
        self._here = Counter[int]()
        self._elsewhere: dict[int, tuple[int, int]] = {}

    def load(self, entries: Iterable[Entry]) -> None:
        """Look up what is stored of the like of `entries`."""
        of = {"conversation_id": self._stream.conversation_id, "agent": self._stream.agent}
        uuids = [entry.uuid for entry in entries if entry.uuid is not None]
        for row in self._table.find_in(self._connection, "uuid", uuids, **of):
            if row.uuid and self._streams.get(row.uuid, self._stream.id) == self._stream.id:
                self._streams[row.uuid] = row.stream_id
        self._count_equal()

    def _count_equal(self) -> None:
        """Count equal entries; that costs something only where the conversation has several streams."""
        of = {"conversation": self._stream.conversation_id, "agent": self._stream.agent}
        if not self.digests or not self._connection.execute(OTHERS, of | {"stream": self._stream.id}).first():
            return
        for some in portions(set(self.digests.values())):
            for stream_id, digest, count in self._connection.execute(COUNTS, of | {"digests": some}):
                if stream_id == self._stream.id:
                    self._here[digest] = count
                else:
                    self._elsewhere[digest] = max((count, stream_id), self._elsewhere.get(digest, (0, 0)))

    def stream_of(self, entry: Entry) -> int | None:
        """Return the stream that has the entry which this one repeats, or None if it is new."""
        if entry.uuid is not None:
            first = self._streams.get(entry.uuid)
            self._streams.setdefault(entry.uuid, self._stream.id)
            return first
        digest = self.digests.get(entry.offset)
        if digest is None:
            return None
        self._here[digest] += 1
        count, stream_id = self._elsewhere.get(digest, (0, 0))
        return stream_id if self._here[digest] <= count else None


def digests(records: Sequence[Record], found: Iterable[Entry]) -> dict[int, int]:
    """Return what stands for the bytes of each entry that has no uuid, by its offset."""
    digests: dict[int, int] = {}
    waiting = iter(records)
    record = next(waiting, None)
    for entry in found:
        if entry.uuid is not None:
            continue
        while record is not None and record.offset + len(record.body) <= entry.offset:
            record = next(waiting, None)
        if record is None:
            break
        start = entry.offset - record.offset
        digest = blake2b(record.body[start : start + entry.length], digest_size=8).digest()
        digests[entry.offset] = int.from_bytes(digest, signed=True)
    return digests
