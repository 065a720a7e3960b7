"""How stored events read on the wire: the same whether they are told as they happen or again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import trio
from msgspec import Struct

from ccod import Conversation, Ending, Event, Observatory, Project, StateChange
from ccod_http.web import message_json, project_json
from ccod_ws.events import (
    ConversationEnded,
    ConversationForgotten,
    ConversationStarted,
    ConversationStateChanged,
    MessageAdded,
    ProjectDiscovered,
    ProjectForgotten,
    ProjectUpdated,
)
from ccod_ws.filters import Topic
from ccod_ws.frames import Frame, frame
from ccod_ws.protocol import Broadcast

LARGE = 64 * 1024
"""Bytes of messages from which on a hop to a thread and back costs less than holding up everybody."""


class Teller:
    """Makes frames of events. What an event is about may be gone by now: it has none then."""

    def __init__(self, observatory: Observatory) -> None:
        self._observatory = observatory

    async def tell(self, events: Sequence[Event]) -> Sequence[Frame | None]:
        conversations = await self._conversations(events)
        projects = await self._projects(events)
        if sum(len(event.message.body) for event in events if event.message) < LARGE:
            return self._frames(events, conversations, projects)
        return await trio.to_thread.run_sync(self._frames, events, conversations, projects)

    async def _conversations(self, events: Sequence[Event]) -> Mapping[str, Conversation]:
        ids = [str(event.conversation_id) for event in events if event.kind == "conversation_started"]
        found = await self._observatory.storage.conversations_by_id(ids) if ids else ()
        return {each.id: each for each in found}

    async def _projects(self, events: Sequence[Event]) -> Mapping[str, Project]:
        ids = {str(event.project_id) for event in events if event.kind in {"project_discovered", "project_updated"}}
        found = [await self._observatory.storage.project(id_) for id_ in ids]
        return {each.id: each for each in found if each is not None}

    def _frames(
        self, events: Sequence[Event], conversations: Mapping[str, Conversation], projects: Mapping[str, Project]
    ) -> Sequence[Frame | None]:
        return [self._frame(event, self._data(event, conversations, projects)) for event in events]

    def _frame(self, event: Event, data: Struct | None) -> Frame | None:
        if data is None:
            return None
        return frame(Broadcast(topic_of(event).channel, data, event.at, event.seq), event.seq)

    def _data(
        self, event: Event, conversations: Mapping[str, Conversation], projects: Mapping[str, Project]
    ) -> Struct | None:
        data: Struct | None = None
        match event:
            case Event(conversation_id=str(id), message=message) if message is not None:
                data = MessageAdded(id, message_json(message, self._observatory.content(message)))
            case Event(kind="conversation_started", conversation_id=str(id)) if id in conversations:
                found = conversations[id]
                data = ConversationStarted(id, id, found.project_id, found.project_name, found.created_at)
            case Event(kind="project_discovered", project_id=str(id)) if id in projects:
                data = ProjectDiscovered(project_json(projects[id]))
            case Event(kind="project_updated", project_id=str(id)) if id in projects:
                data = ProjectUpdated(project_json(projects[id]))
            case Event(conversation_id=str(id), detail=StateChange() as change):
                data = ConversationStateChanged(id, change.before, change.after, change.reason)
            case Event(conversation_id=str(id), detail=Ending() as end):
                data = ConversationEnded(id, end.duration_ms, end.message_count, end.tool_call_count, end.ended_at)
            case Event(kind="conversation_forgotten", conversation_id=str(id)):
                data = ConversationForgotten(id)
            case Event(kind="project_forgotten", project_id=str(id)):
                data = ProjectForgotten(id)
        return data


def topic_of(event: Event) -> Topic:
    channel = "projects" if event.kind.startswith("project_") else "conversations"
    return Topic(channel, event.kind, event.conversation_id, event.project_id, event.machine)
