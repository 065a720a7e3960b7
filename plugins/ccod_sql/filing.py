"""Files what one batch brings: its raw bytes, its entries, and what stands below them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from msgspec import Struct
from sqlalchemy import Connection, Dialect

from ccod import Batch, Entry, Record, Unparsed
from ccod_sql import archive, rollups, rows, tables
from ccod_sql.responses import Responses
from ccod_sql.rows import Rows
from ccod_sql.tool_calls import ToolCalls

ADD_TO_COUNT = (
    "ON CONFLICT (type, subtype, version) "
    "DO UPDATE SET known = excluded.known, count = record_types.count + excluded.count"
)


class Fresh(Struct, frozen=True):
    """What a batch brings that is not stored yet: a replay brings less than it holds, or nothing."""

    records: Sequence[Record]
    entries: Sequence[Entry]
    unparsed: Sequence[Unparsed]

    @classmethod
    def of(cls, batch: Batch, parsed: Iterable[Entry | Unparsed], position: int) -> Fresh:
        new = [item for item in parsed if item.offset >= position]
        return cls(
            [record for record in batch.records if record.offset >= position],
            [item for item in new if isinstance(item, Entry)],
            [item for item in new if isinstance(item, Unparsed)],
        )


class Target(Struct, frozen=True):
    """Where a batch is filed, and when. The two rows change on the way; who made the target writes them back."""

    connection: Connection
    stream: rows.Stream
    conversation: rows.Conversation
    now: int


class Filing:
    """Writes the rows below a conversation, and counts them in it."""

    def __init__(self, dialect: Dialect) -> None:
        self._responses = Rows(dialect, tables.responses, rows.Response)
        self._entries = Rows(dialect, tables.entries, rows.Entry)
        self._calls = Rows(dialect, tables.tool_calls, rows.ToolCall)
        self._types = Rows(dialect, tables.record_types, rows.RecordType)
        self._quarantine = Rows(dialect, tables.quarantine, rows.Quarantined)
        self._blocks = Rows(dialect, tables.blocks, rows.Block)

    def file(self, to: Target, fresh: Fresh) -> Sequence[rows.Entry]:
        """Write all of `fresh`; return its entries as they are stored."""
        self._keep_bytes(to, fresh.records)
        self._set_aside(to, fresh.unparsed)
        if not fresh.entries:
            return ()
        self._count_types(to.connection, fresh.entries)
        return self._file_entries(to, fresh.entries)

    def _keep_bytes(self, to: Target, records: Sequence[Record]) -> None:
        blocks = [
            rows.Block(to.stream.id, start, len(data), *archive.pack(data)) for start, data in archive.split(records)
        ]
        self._blocks.insert(to.connection, blocks)

    def _set_aside(self, to: Target, unparsed: Sequence[Unparsed]) -> None:
        bad = [rows.Quarantined(to.stream.id, item.offset, item.length, item.reason, to.now) for item in unparsed]
        self._quarantine.insert(to.connection, bad)

    def _file_entries(self, to: Target, entries: Sequence[Entry]) -> Sequence[rows.Entry]:
        stream, conversation = to.stream, to.conversation
        responses = Responses(self._responses, to.connection, conversation.id, stream.agent)
        calls = ToolCalls(self._calls, to.connection, conversation.id, stream.agent)
        seen = set[str]()
        if conversation.entry_count:
            responses.load(entries)
            calls.load(entries)
            seen = self._known(to, entries)
        filed = []
        for id_, entry in enumerate(entries, self._entries.next_id(to.connection)):
            if entry.at is not None:
                stream.last_at = entry.at
            at = to.now if stream.last_at is None else stream.last_at
            row = _row(id_, entry, stream, at)
            if entry.uuid is not None:
                if entry.uuid in seen:
                    row.duplicate, row.role = True, None
                seen.add(entry.uuid)
            if entry.response is not None:
                row.response_id = responses.merge(entry.response, at).id
            calls.merge(entry, id_, at)
            filed.append(row)
        responses.save()
        self._entries.insert(to.connection, filed)
        calls.save()
        stream.entry_count += len(filed)
        conversation.entry_count += len(filed)
        if not stream.agent:
            rollups.count(conversation, filed, responses, calls)
        return filed

    def _known(self, to: Target, entries: Sequence[Entry]) -> set[str]:
        """Return the uuids among those of `entries` that the conversation, or the agent, has already."""
        uuids = [entry.uuid for entry in entries if entry.uuid is not None]
        found = self._entries.find_in(
            to.connection, "uuid", uuids, conversation_id=to.conversation.id, agent=to.stream.agent
        )
        return {row.uuid for row in found if row.uuid}

    def _count_types(self, connection: Connection, entries: Sequence[Entry]) -> None:
        """Add to what is known of each type of record, and in which versions it was met."""
        counted = Counter((entry.type, entry.subtype, entry.version or "", entry.known) for entry in entries)
        types = [rows.RecordType(*key, count) for key, count in counted.items()]
        self._types.insert(connection, types, or_else=ADD_TO_COUNT)


def _row(id_: int, entry: Entry, stream: rows.Stream, at: int) -> rows.Entry:
    return rows.Entry(
        id_,
        stream.id,
        entry.offset,
        entry.length,
        stream.conversation_id,
        stream.agent,
        entry.type,
        entry.subtype,
        entry.uuid,
        entry.parent,
        at,
        entry.role,
        entry.sidechain,
        entry.meta,
    )
