"""A storage that keeps what a test puts on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from types import TracebackType
from typing import Any, TypeVar

from ccod import (
    Batch,
    Checkpoint,
    Conversation,
    ConversationQuery,
    Entry,
    Message,
    MessageQuery,
    Page,
    Project,
    ProjectQuery,
    Storage,
    Stored,
    Stream,
    Unparsed,
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

    def __init__(self) -> None:
        self.all_projects: list[Project] = []
        self.all_conversations: list[Conversation] = []
        self.all_messages: list[Message] = []
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

    async def projects(self, query: ProjectQuery) -> Page[Project]:
        return self._page(self.all_projects, _order(query.sort), query)

    async def project(self, id: str) -> Project | None:  # noqa: A002
        return next((project for project in self.all_projects if project.id == id), None)

    async def conversations(self, query: ConversationQuery) -> Page[Conversation]:
        found = [
            each
            for each in self.all_conversations
            if query.project_id in {None, each.project_id}
            and query.status in {None, each.status}
            and (query.since is None or each.updated_at >= query.since)
            and (query.until is None or each.created_at <= query.until)
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

    def _page(self, items: Sequence[T], key: Callable[[T], Any], query: Any) -> Page[T]:
        if self.failure:
            raise self.failure
        ordered = sorted(items, key=key, reverse=query.descending)
        return Page(ordered[query.offset : query.offset + query.limit], len(items))


def _order(sort: str) -> Callable[[Any], Any]:
    return attrgetter(_FIELDS.get(sort, sort))
