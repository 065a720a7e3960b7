"""Files what one batch brings: its raw bytes, its entries, and what stands below them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from msgspec import Struct, field
from msgspec.structs import replace
from sqlalchemy import Connection, Dialect, func, select, update

from ccod import TOO_LONG, Batch, Entry, Prices, Record, Unparsed
from ccod_sql import archive, rollups, rows, states, subagents, tables
from ccod_sql.naming import Naming
from ccod_sql.quarters import QuarterTables
from ccod_sql.queued import Queued
from ccod_sql.repeats import Repeats, digests
from ccod_sql.responses import Responses
from ccod_sql.rows import Rows
from ccod_sql.tool_calls import ToolCalls

ADD_TO_COUNT = (
    "ON CONFLICT (conversation_id, type, subtype, version) "
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


class Numbers:
    """Gives ids to entries: those that `known` has of a stream's id and an offset, and new ones from `first` on."""

    def __init__(self, first: int, known: Mapping[tuple[int, int], int] = MappingProxyType({})) -> None:
        self._next = first
        self._known = known

    def __call__(self, stream_id: int, offset: int) -> int:
        id_ = self._known.get((stream_id, offset))
        if id_ is None:
            id_, self._next = self._next, self._next + 1
        return id_


class Target(Struct, frozen=True):
    """Where a batch is filed, and when. The two rows change on the way; who made the target writes them back.

    `renamed` gathers the keys of other conversations that got a name.
    """

    connection: Connection
    stream: rows.Stream
    conversation: rows.Conversation
    now: int
    numbers: Numbers | None = None
    renamed: list[str] = field(default_factory=list)


class Filing:
    """Writes the rows below a conversation, and counts them in it."""

    def __init__(self, dialect: Dialect, prices: Prices) -> None:
        self._prices = prices
        self._responses = Rows(dialect, tables.responses, rows.Response)
        self._streams = Rows(dialect, tables.streams, rows.Stream)
        self._entries = Rows(dialect, tables.entries, rows.Entry)
        self._calls = Rows(dialect, tables.tool_calls, rows.ToolCall)
        self._subagents = Rows(dialect, tables.subagents, rows.Subagent)
        self.naming = Naming(dialect)
        self._types = Rows(dialect, tables.record_types, rows.RecordType)
        self._quarantine = Rows(dialect, tables.quarantine, rows.Quarantined)
        self._blocks = Rows(dialect, tables.blocks, rows.Block)
        self._quarters = QuarterTables(dialect)

    def file(self, to: Target, fresh: Fresh) -> Sequence[rows.Entry]:
        """Keep the bytes of `fresh` and write its entries; return these as they are stored."""
        self._keep_bytes(to, fresh.records)
        filed = self.derive(to, fresh)
        self._lengthen(to, sum(len(record.body) for record in fresh.records if record.piece > 1))
        return filed

    def derive(self, to: Target, fresh: Fresh) -> Sequence[rows.Entry]:
        """Write the entries of `fresh` and what follows from them."""
        fresh = replace(fresh, entries=[_named(to.stream, entry) for entry in fresh.entries])
        rollups.date(to.conversation, fresh.entries)
        if not to.stream.agent:
            rollups.describe(to.conversation, fresh.entries)
        self._set_aside(to, fresh.unparsed)
        if not fresh.entries:
            return ()
        filed = self._file_entries(to, fresh)
        self._subagents.insert(
            to.connection, subagents.told_by(to.conversation.id, fresh.entries), or_else=subagents.MERGE
        )
        if not to.stream.agent:
            to.renamed.extend(self.naming.name(to.connection, to.conversation, fresh.entries))
        return filed

    def _keep_bytes(self, to: Target, records: Sequence[Record]) -> None:
        blocks = [
            rows.Block(to.stream.id, start, len(data), *archive.pack(data)) for start, data in archive.split(records)
        ]
        self._blocks.insert(to.connection, blocks)

    def _set_aside(self, to: Target, unparsed: Sequence[Unparsed]) -> None:
        bad = [rows.Quarantined(to.stream.id, item.offset, item.length, item.reason, to.now) for item in unparsed]
        self._quarantine.insert(to.connection, bad)

    def _lengthen(self, to: Target, more: int) -> None:
        """Count further pieces of a long line to what was set aside of it when the first came."""
        if not more:
            return
        q = tables.quarantine.c
        latest = select(func.max(q.offset)).where(q.stream_id == to.stream.id, q.reason == TOO_LONG).scalar_subquery()
        its_row = update(tables.quarantine).where(q.stream_id == to.stream.id, q.offset == latest)
        to.connection.execute(its_row.values(length=q.length + more))

    def _file_entries(self, to: Target, fresh: Fresh) -> Sequence[rows.Entry]:
        stream, conversation, entries = to.stream, to.conversation, fresh.entries
        quarters = self._quarters.open(to.connection)
        responses = Responses(self._responses, self._prices, to.connection, stream, quarters)
        responses.load(entries)
        calls = ToolCalls(self._calls, to.connection, conversation.id, stream.agent, quarters)
        repeats = Repeats(self._entries, to.connection, stream, digests(fresh.records, entries))
        queued = Queued(to.connection, stream)
        if conversation.entry_count and not self._is_first(to):
            calls.load(entries)
            repeats.load(entries)
            queued.load(entries)
        filed, new = [], []
        number = to.numbers or Numbers(self._entries.next_id(to.connection))
        for entry in entries:
            id_ = number(stream.id, entry.offset)
            if entry.at is not None:
                stream.last_at = entry.at
            at = to.now if stream.last_at is None else stream.last_at
            row = _row(id_, entry, stream, at)
            row.digest = repeats.digests.get(entry.offset, entry.queued)
            repeated = repeats.stream_of(entry)
            if repeated is not None:
                row.duplicate, row.role = True, None
            elif entry.queued is not None and queued.is_known(entry):
                row.role = None
            if repeated in (None, stream.id):
                new.append(entry)
            if entry.response is not None and (repeated is None or entry.uuid):
                row.response_id = responses.merge(entry.response, at, sidechain=entry.sidechain).id
            if entry.tool_uses or entry.tool_results:
                opened = calls.merge(entry, id_, at, 0 if stream.agent else conversation.turn)
                conversation.pending_count += 0 if stream.agent else opened
            if not stream.agent and not row.duplicate:
                states.follow(conversation, entry)
            filed.append(row)
        quarters.add_messages(conversation.id, filed)
        responses.save()
        self._entries.insert(to.connection, filed)
        calls.save()
        quarters.save()
        stream.entry_count += len(filed)
        conversation.entry_count += len(filed)
        if not stream.agent:
            rollups.count(conversation, filed, responses, calls)
        self._count_types(to, new)
        return filed

    def _is_first(self, to: Target) -> bool:
        """Tell whether a stream begins, and is the first of its agent: nothing can repeat or answer what is stored."""
        if to.stream.entry_count:
            return False
        of_agent = {"conversation_id": to.conversation.id, "agent": to.stream.agent}
        return len(self._streams.find(to.connection, **of_agent)) == 1

    def _count_types(self, to: Target, entries: Sequence[Entry]) -> None:
        """Add to what is known of each type of record, and in which versions it was met."""
        counted = Counter((entry.type, entry.subtype, entry.version or "", entry.known) for entry in entries)
        types = [rows.RecordType(to.conversation.id, *key, count) for key, count in counted.items()]
        self._types.insert(to.connection, types, or_else=ADD_TO_COUNT)


def _named(stream: rows.Stream, entry: Entry) -> Entry:
    """Return an entry whose response names its model: if it does not itself, the one that is at work in the stream."""
    stream.model = entry.model or stream.model
    if entry.response is None or entry.response.model or not stream.model:
        return entry
    return replace(entry, response=replace(entry.response, model=stream.model))


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
        entry.error,
        logical_parent=entry.logical_parent,
    )
