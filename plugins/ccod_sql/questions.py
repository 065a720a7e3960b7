"""What a storage is asked: each question is answered by one of the reading connections, in a thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Concatenate, ParamSpec, TypeVar

import trio
from sqlalchemy import Connection

from ccod import (
    Activity,
    CalledTool,
    Checkpoint,
    Conversation,
    ConversationQuery,
    EntryQuery,
    Event,
    EventQuery,
    FigureQuery,
    Found,
    Message,
    MessageQuery,
    Node,
    Overview,
    Page,
    Position,
    Prices,
    Project,
    ProjectQuery,
    Quarantined,
    QuarantineQuery,
    Read,
    ReadQuery,
    RecordType,
    ResponseRecord,
    SearchQuery,
    SessionQuery,
    SessionUsage,
    SpanUsage,
    StorageFacts,
    StoredEntry,
    StoredStream,
    Stream,
    Stretch,
    StretchQuery,
    Subagent,
    ToolCallQuery,
    Totals,
)
from ccod_sql import (
    activity,
    calling,
    entries,
    events,
    facts,
    figures,
    keeping,
    messages,
    nodes,
    reading,
    reads,
    search,
    sessions,
    streams,
    subagents,
    usage,
)
from ccod_sql.database import Database

P = ParamSpec("P")
T = TypeVar("T")


class Questions:
    """The methods of `ccod.Storage` that only read. `_database` is there once it is open, `_machine_id` too."""

    _database: Database
    _machine_id: int

    def __init__(self, prices: Prices, readers: int) -> None:
        self._prices = prices
        self._reading = trio.CapacityLimiter(readers)

    async def checkpoints(self, source: str) -> Sequence[tuple[Stream, Checkpoint]]:
        return await self._read(reading.checkpoints, self._machine_id, source)

    async def subagents(self, conversation_id: str) -> Sequence[Subagent]:
        return await self._read(subagents.find, conversation_id)

    async def entries(self, conversation_id: str, query: EntryQuery) -> Page[StoredEntry]:
        return await self._read(entries.find, conversation_id, query)

    async def nodes(self, conversation_id: str) -> Sequence[Node]:
        return await self._read(nodes.find, conversation_id)

    async def streams(self, conversation_id: str) -> Sequence[StoredStream]:
        return await self._read(streams.of, conversation_id)

    async def bytes_of(self, stream_id: int, start: int) -> bytes:
        return await self._read(streams.bytes_of, stream_id, start)

    async def repeats(self, stream_id: int) -> Sequence[tuple[int, int]]:
        return await self._read(streams.repeats_in, stream_id)

    async def quarantine(self, query: QuarantineQuery) -> Page[Quarantined]:
        return await self._read(facts.find_quarantine, query)

    async def record_types(self, machines: frozenset[str] | None = None) -> Sequence[RecordType]:
        return await self._read(facts.find_record_types, machines)

    async def facts(self, machines: frozenset[str] | None = None) -> StorageFacts:
        return await self._read(lambda c: facts.facts(c, self._database.facts(c), machines))

    async def noted_reads(self, query: ReadQuery) -> Page[Read]:
        return await self._read(reads.find, query)

    async def kept(self, namespace: str) -> Mapping[str, bytes]:
        return await self._read(keeping.read, namespace)

    async def projects(self, query: ProjectQuery) -> Page[Project]:
        return await self._read(reading.find_projects, query)

    async def project(self, project_id: str) -> Project | None:
        return await self._read(reading.find_project, project_id)

    async def conversations(self, query: ConversationQuery) -> Page[Conversation]:
        return await self._read(reading.find_conversations, query)

    async def conversations_by_id(self, ids: Sequence[str]) -> Sequence[Conversation]:
        return await self._read(reading.conversations_with, ids)

    async def messages(self, conversation_id: str, query: MessageQuery) -> Page[Message]:
        return await self._read(messages.page, conversation_id, query)

    async def events(self, query: EventQuery) -> Sequence[Event]:
        return await self._read(events.find, query)

    async def position(self, before: int | None = None) -> Position:
        return await self._read(events.position, before)

    async def search(self, query: SearchQuery) -> Found:
        return await self._read(search.find, query)

    async def responses(self, conversation_id: str) -> Sequence[ResponseRecord]:
        return await self._read(usage.responses_of, conversation_id, self._prices)

    async def total_usage(self, conversation_id: str) -> Mapping[str, Totals]:
        return await self._read(usage.total_usage, conversation_id)

    async def stretches(self, query: StretchQuery) -> Sequence[Stretch]:
        return await self._read(usage.stretches, query)

    async def figured(self, machines: frozenset[str] | None = None) -> tuple[int, int] | None:
        return await self._read(figures.time_of_all, machines)

    async def overview(self, query: FigureQuery) -> Overview:
        return await self._read(figures.overview, query)

    async def usage(self, query: FigureQuery) -> Sequence[SpanUsage]:
        return await self._read(figures.usage, query)

    async def sessions(self, query: SessionQuery) -> Page[SessionUsage]:
        return await self._read(sessions.find, query)

    async def activity(self, conversation_id: str) -> Activity:
        return await self._read(activity.of, conversation_id)

    async def tool_calls(self, conversation_id: str, query: ToolCallQuery) -> Page[CalledTool]:
        return await self._read(calling.find, conversation_id, query)

    async def _read(self, read: Callable[Concatenate[Connection, P], T], *values: P.args, **named: P.kwargs) -> T:
        def work() -> T:
            with self._database.explained(), self._database.readers.connect() as connection:
                return read(connection, *values, **named)

        return await trio.to_thread.run_sync(work, limiter=self._reading)
