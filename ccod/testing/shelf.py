"""A storage that keeps what a test puts on it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import trio

from ccod import (
    Activity,
    Batch,
    CalledTool,
    Checkpoint,
    Conversation,
    ConversationQuery,
    Entry,
    EntryQuery,
    Event,
    EventQuery,
    FigureQuery,
    Figures,
    Found,
    Health,
    Message,
    MessageQuery,
    Node,
    Overview,
    Page,
    Position,
    Project,
    ProjectDraft,
    ProjectEdit,
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
    Storage,
    StorageFacts,
    Stored,
    StoredEntry,
    StoredStream,
    Stream,
    Stretch,
    StretchQuery,
    Subagent,
    ToolCallQuery,
    ToolStatistics,
    Totals,
    Unparsed,
    Vacuumed,
)

T = TypeVar("T")

_FIELDS = {
    "updatedAt": "updated_at",
    "createdAt": "created_at",
    "lastActivity": "last_activity",
    "conversationCount": "conversation_count",
    "messageCount": "message_count",
}


class Shelf(Storage):
    """Answers queries as a storage must; `failure` is raised instead while it is set."""

    folder = Path("/nonexistent")
    revision: int | None = None

    def __init__(self) -> None:
        self.all_kept: dict[str, dict[str, bytes]] = {}
        self.all_projects: list[Project] = []
        self.all_conversations: list[Conversation] = []
        self.all_messages: list[Message] = []
        self.all_events: list[Event] = []
        self.all_used: list[Stretch] = []
        self.all_reads: list[Read] = []
        self.failure: Exception | None = None

    async def __aenter__(self) -> Shelf:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        pass

    async def checkpoints(self, source: str) -> Sequence[tuple[Stream, Checkpoint]]:
        return []

    async def append(self, source: str, batch: Batch, entries: Sequence[Entry | Unparsed]) -> Stored:
        return Stored()

    async def tool_calls(self, conversation_id: str, query: ToolCallQuery) -> Page[CalledTool]:
        return Page([], 0)

    async def subagents(self, conversation_id: str) -> Sequence[Subagent]:
        return []

    async def entries(self, conversation_id: str, query: EntryQuery) -> Page[StoredEntry]:
        return Page([], 0)

    async def nodes(self, conversation_id: str) -> Sequence[Node]:
        return []

    async def streams(self, conversation_id: str) -> Sequence[StoredStream]:
        return []

    async def bytes_of(self, stream_id: int, start: int) -> bytes:
        return b""

    async def repeats(self, stream_id: int) -> Sequence[tuple[int, int]]:
        return []

    async def quarantine(self, query: QuarantineQuery) -> Page[Quarantined]:
        return Page([], 0)

    async def search(self, query: SearchQuery) -> Found:
        return Found([])

    async def events(self, query: EventQuery) -> Sequence[Event]:
        found = [
            event
            for event in self.all_events
            if query.after < event.seq <= (event.seq if query.until is None else query.until)
            and (not query.kinds or event.kind in query.kinds)
            and (not query.projects or event.project_id in query.projects)
            and (not query.conversations or event.conversation_id in query.conversations)
            and (query.machines is None or event.machine in query.machines)
        ]
        return found[: query.limit]

    async def position(self, before: int | None = None) -> Position:
        seqs = [event.seq for event in self.all_events if before is None or event.at < before]
        return Position("shelf", max(seqs, default=0))

    async def record_types(self, machines: frozenset[str] | None = None) -> Sequence[RecordType]:
        return []

    async def facts(self, machines: frozenset[str] | None = None) -> StorageFacts:
        return StorageFacts("memory", "1", 0)

    async def note_reads(self, reads: Sequence[Read]) -> None:
        if self.failure:
            raise self.failure
        self.all_reads += reads

    async def noted_reads(self, query: ReadQuery) -> Page[Read]:
        return Page(self.all_reads[::-1], len(self.all_reads))

    async def reparse(self, conversation_id: str | None = None, since: str | None = None) -> int:
        return 0

    async def vacuum(self) -> Vacuumed:
        return Vacuumed(0, more=False, in_steps=False)

    async def create_project(self, draft: ProjectDraft) -> Stored | None:
        return None

    async def edit_project(self, project_id: str, edit: ProjectEdit) -> Stored | None:
        return None

    async def figured(self, machines: frozenset[str] | None = None) -> tuple[int, int] | None:
        return None

    async def overview(self, query: FigureQuery) -> Overview:
        return Overview(Figures(), None, (), (), (), ())

    async def usage(self, query: FigureQuery) -> Sequence[SpanUsage]:
        return []

    async def sessions(self, query: SessionQuery) -> Page[SessionUsage]:
        return Page([], 0)

    async def forget_conversation(self, conversation_id: str) -> Stored | None:
        return None

    async def forget_project(self, project_id: str) -> Stored | None:
        return None

    async def kept(self, namespace: str) -> Mapping[str, bytes]:
        return dict(self.all_kept.get(namespace, {}))

    async def keep(self, namespace: str, changes: Mapping[str, bytes | None]) -> None:
        await trio.lowlevel.checkpoint()  # as a disk does, it lets others go on meanwhile
        values = self.all_kept.setdefault(namespace, {})
        values.update({key: value for key, value in changes.items() if value is not None})
        for key, value in changes.items():
            if value is None:
                values.pop(key, None)

    async def maintain(self, health: Health) -> Stored | None:
        return None

    async def projects(self, query: ProjectQuery) -> Page[Project]:
        found = [
            each
            for each in self.all_projects
            if query.name in {None, each.name} and (query.machines is None or each.machine in query.machines)
        ]
        return self._page(found, _order(query.sort), query)

    async def project(self, id: str) -> Project | None:  # noqa: A002
        return next((project for project in self.all_projects if project.id == id), None)

    async def conversations(self, query: ConversationQuery) -> Page[Conversation]:
        found = [
            each
            for each in self.all_conversations
            if each.id.startswith(query.id_prefix or "")
            and query.project_id in {None, each.project_id}
            and query.status in {None, each.status}
            and query.state in {None, each.state}
            and (query.since is None or each.updated_at >= query.since)
            and (query.until is None or each.created_at <= query.until)
            and (query.machines is None or each.machine in query.machines)
        ]
        return self._page(found, _order(query.sort), query)

    async def conversations_by_id(self, ids: Sequence[str]) -> Sequence[Conversation]:
        return [each for each in self.all_conversations if each.id in ids]

    async def messages(self, conversation_id: str, query: MessageQuery) -> Page[Message]:
        found = [
            each
            for each in self.all_messages
            if (each.conversation_id, each.agent) == (conversation_id, query.agent) and query.role in {None, each.role}
        ]
        return self._page(found, attrgetter("at"), query)

    async def responses(self, conversation_id: str) -> Sequence[ResponseRecord]:
        return []

    async def total_usage(self, conversation_id: str) -> Mapping[str, Totals]:
        return {}

    async def stretches(self, query: StretchQuery) -> Sequence[Stretch]:
        """Show each response as a stretch of its own."""
        since, until = query.since or 0, sys.maxsize if query.until is None else query.until
        return [each for each in self.all_used if since <= each.first_at <= until]

    async def activity(self, conversation_id: str) -> Activity:
        return Activity(0, ToolStatistics(""))

    def _page(self, items: Sequence[T], key: Callable[[T], Any], query: Any) -> Page[T]:
        if self.failure:
            raise self.failure
        ordered = sorted(items, key=key, reverse=query.descending)
        (start,) = query.after or (query.offset,)
        end = start + query.limit
        return Page(ordered[start:end], len(items), (end,) if end < len(items) else None)


def _order(sort: str) -> Callable[[Any], Any]:
    return attrgetter(_FIELDS.get(sort, sort))
