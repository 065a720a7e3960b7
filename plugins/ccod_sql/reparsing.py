"""Derives again from the archive what an older parser understood, or what a person doubts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from heapq import merge
from itertools import groupby, islice
from operator import itemgetter

from msgspec.structs import fields, replace
from sqlalchemy import ColumnElement, Connection, Dialect, and_, delete, exists, func, or_, select, update

from ccod import TOO_LONG, Entry, Parser, Progress, Record, Stored, Unparsed
from ccod import Stream as SourceStream
from ccod_sql import indexing, meta, ownership, quarters, rollups, rows, states, tables
from ccod_sql.filing import Fresh, Numbers, Target
from ccod_sql.forgetting import count_conversations
from ccod_sql.quarters import QuarterTables
from ccod_sql.rows import Rows
from ccod_sql.streams import beginning_of, records_of
from ccod_sql.tables import conversations, entries, events, quarantine, responses, streams
from ccod_sql.writing import Writer

AT_ONCE = 1000
ASKED = "reparse"
"""The key of `meta` for how often somebody asked."""
KEPT = {
    *("id", "key", "machine_id", "appended_at", "file_path", "file_deleted_at", "file_rewritten_at"),
    "subagent_count",
    *("state", "state_reason", "state_since", "state_due"),
    *("title", "title_rank", "created_at", "updated_at"),
}
"""What of a conversation does not follow from its entries, and what `_begin` sets itself."""


class Reparsing:
    """Takes one conversation at a time. Its caller holds the transaction."""

    def __init__(self, dialect: Dialect, writer: Writer, parsers: Mapping[str, Parser]) -> None:
        self._writer = writer
        self._parsers = parsers
        self._conversations = Rows(dialect, conversations, rows.Conversation)
        self._streams = Rows(dialect, streams, rows.Stream)
        self._responses = Rows(dialect, responses, rows.Response)
        self._quarters = QuarterTables(dialect)
        self._done = 0
        self._asked: str | None = None
        self.is_done = False
        """Whether no conversation needs it, and none will until somebody asks."""
        self.is_sure = True
        """Whether nobody can have asked another daemon."""

    def ask(self, connection: Connection, conversation_id: str | None, since: str | None) -> int:
        """Have streams parsed anew that `step` would otherwise leave alone; return how many conversations they are."""
        wanted: list[ColumnElement[bool]] = [streams.c.format.in_(self._parsers)]
        if conversation_id is not None:
            one = select(conversations.c.id).where(conversations.c.key == conversation_id)
            wanted.append(streams.c.conversation_id == one.scalar_subquery())
        if since is not None:
            versions = connection.scalars(select(streams.c.parser).distinct()).all()
            later = [version for version in versions if not version or _order(version) >= _order(since)]
            wanted.append(streams.c.parser.in_(later))
        count = connection.scalar(select(func.count(streams.c.conversation_id.distinct())).where(*wanted))
        connection.execute(update(streams).where(*wanted).values(parser=""))
        meta.write(connection, ASKED, str(1 + int(meta.read(connection, ASKED) or 0)))
        self.is_done = False
        return count or 0

    def look(self, connection: Connection) -> None:
        """Find out whether another daemon was asked."""
        asked = meta.read(connection, ASKED)
        if asked != self._asked:
            self._asked, self.is_done = asked, False
        self.is_sure = True

    def step(self, connection: Connection, tasks: dict[str, Progress]) -> Stored | None:
        """Parse the latest conversation anew that needs it."""
        outdated = self._outdated()
        left, latest = connection.execute(
            select(func.count(streams.c.conversation_id.distinct()), func.max(streams.c.conversation_id)).where(
                outdated
            )
        ).one()
        if not left:
            self._done, self.is_done = 0, True
            tasks.pop("reparse", None)
            return None
        changed = self._redo(connection, latest)
        if left == 1:
            indexing.reset(connection)
        self._done += 1
        tasks["reparse"] = Progress(self._done, self._done + left - 1)
        return changed

    def _outdated(self) -> ColumnElement[bool]:
        """A conversation of which a stream has no parser any more is left as it is."""
        others = streams.alias()
        orphaned = exists().where(
            others.c.conversation_id == streams.c.conversation_id, others.c.format.not_in(self._parsers)
        )
        old = (and_(streams.c.format == key, streams.c.parser != each.version) for key, each in self._parsers.items())
        return and_(or_(False, *old), ~orphaned)

    def _redo(self, connection: Connection, id_: int) -> Stored:
        (conversation,) = self._conversations.find(connection, id=id_)
        its_streams = sorted(self._streams.find(connection, conversation_id=id_), key=lambda stream: stream.id)
        offsets = select(entries.c.stream_id, entries.c.offset, entries.c.id).where(entries.c.conversation_id == id_)
        known = {(stream_id, offset): entry_id for stream_id, offset, entry_id in connection.execute(offsets)}
        first_free = 1 + (connection.scalar(select(func.max(entries.c.id))) or 0)
        message_ids = set(connection.scalars(select(responses.c.message_id).where(responses.c.conversation_id == id_)))
        self._clear(connection, id_)
        project_id = conversation.project_id
        _begin(conversation, its_streams)
        numbers = Numbers(first_free, known)
        renamed: list[str] = []
        for stream, records in self._in_order(connection, its_streams, known):
            to = Target(connection, stream, conversation, stream.created_at, numbers, renamed)
            self._writer.filing.derive(to, self._parse(stream, conversation, records))
        ownership.settle(connection, self._responses, message_ids, self._quarters.open(connection))
        states.settle_again(conversation)
        stored = self._finish(connection, conversation, its_streams, project_id)
        return replace(stored, conversations=[*stored.conversations, *renamed])

    def _clear(self, connection: Connection, id_: int) -> None:
        for table in (
            *(tables.tool_calls, tables.entries, tables.responses),
            *(tables.record_types, tables.subagents, tables.summaries),
        ):
            connection.execute(delete(table).where(table.c.conversation_id == id_))
        quarters.forget(connection, id_)
        of_it = quarantine.c.stream_id.in_(select(streams.c.id).where(streams.c.conversation_id == id_))
        connection.execute(delete(quarantine).where(of_it, quarantine.c.reason != TOO_LONG))

    def _in_order(
        self, connection: Connection, its_streams: Sequence[rows.Stream], known: Mapping[tuple[int, int], int]
    ) -> Iterator[tuple[rows.Stream, list[Record]]]:
        """Yield all records, some of one stream at a time, in the order in which they were stored.

        It matters only where several streams are of one agent, which all but never happens.
        """
        by_agent = defaultdict(list)
        for stream in its_streams:
            by_agent[stream.agent].append(stream)
        for some in by_agent.values():
            numbered = [_numbered(connection, stream, known) for stream in some]
            in_order = numbered[0] if len(numbered) == 1 else merge(*numbered, key=itemgetter(0))
            for stream, group in groupby(in_order, key=itemgetter(1)):
                while records := [record for _, _, record in islice(group, AT_ONCE)]:
                    yield stream, records

    def _parse(self, stream: rows.Stream, conversation: rows.Conversation, records: Sequence[Record]) -> Fresh:
        parser = self._parsers[stream.format]
        of = SourceStream(stream.key, stream.format, stream.path, conversation.key, stream.agent or None, stream.kind)
        parsed = [item for record in records for item in parser.parse(of, record)]
        return Fresh(
            records,
            [item for item in parsed if isinstance(item, Entry)],
            [item for item in parsed if isinstance(item, Unparsed)],
        )

    def _finish(
        self,
        connection: Connection,
        conversation: rows.Conversation,
        its_streams: Sequence[rows.Stream],
        before: int | None,
    ) -> Stored:
        for stream in its_streams:
            stream.parser = self._parsers[stream.format].version
        self._streams.update(connection, its_streams)
        gone = ~exists().where(entries.c.id == events.c.entry_id)
        of_it = events.c.conversation_id == conversation.id
        connection.execute(delete(events).where(of_it, events.c.entry_id.is_not(None), gone))
        project, _ = self._writer.place(connection, conversation)
        self._conversations.update(connection, [conversation])
        for project_id in {before, conversation.project_id} - {None}:
            count_conversations(connection, project_id)
        return Stored(conversations=[conversation.key], projects=[project.key] if project else ())


def _begin(conversation: rows.Conversation, its_streams: Sequence[rows.Stream]) -> None:
    """Set the rows back to what they were before the first entry."""
    for field in fields(rows.Conversation):
        if field.name not in KEPT:
            setattr(conversation, field.name, field.default)
    conversation.title, conversation.title_rank = rollups.untitled(conversation.key)
    conversation.created_at = conversation.updated_at = min(stream.created_at for stream in its_streams)
    for stream in its_streams:
        stream.entry_count, stream.last_at, stream.model = 0, None, ""


def _numbered(
    connection: Connection, stream: rows.Stream, known: Mapping[tuple[int, int], int]
) -> Iterator[tuple[int, rows.Stream, Record]]:
    """Yield the records of a stream, each with the id of the last entry that was stored up to it."""
    c = quarantine.c
    long = select(c.offset).where(c.stream_id == stream.id, c.reason == TOO_LONG)
    number = 0
    if stream.kind == "attachment":
        records = beginning_of(connection, stream.id)
    else:
        records = records_of(connection, stream.id, set(connection.scalars(long)))
    for record in records:
        number = known.get((stream.id, record.offset), number)
        yield number, stream, record


def _order(version: str) -> list[tuple[int, str]]:
    """Return what puts versions in order: numbers as numbers."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in version.split(".")]
