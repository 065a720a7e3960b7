"""From what was stored to what is broadcast."""

from __future__ import annotations

import structlog
import trio
from msgspec import Struct

from ccod import Ending, Event, FileChange, Message, Observatory, StateChange, Stored
from ccod_http.web import conversation_json, epoch_ms, message_json, project_json
from ccod_ws.coalescer import Coalescer
from ccod_ws.events import (
    ConversationEnded,
    ConversationForgotten,
    ConversationStarted,
    ConversationStateChanged,
    ConversationUpdated,
    FileChanged,
    MessageAdded,
    ProjectDiscovered,
    ProjectForgotten,
    ProjectUpdated,
)
from ccod_ws.hub import Hub
from ccod_ws.protocol import Broadcast, Channel, Frame, frame

COALESCE_SECONDS = 0.25
READ_AT_ONCE = 100
LARGE = 64 * 1024
"""Bytes of a message from which on a hop to a thread and back costs less than holding up everybody."""

log = structlog.get_logger("ccod.ws")


class Feed:
    """Tells events as they come, and how things now are at a bearable pace. Makes nothing that nobody hears."""

    def __init__(self, hub: Hub, observatory: Observatory) -> None:
        self._hub = hub
        self._observatory = observatory
        self._conversations = Coalescer[str, str](COALESCE_SECONDS)
        self._projects = Coalescer[str, str](COALESCE_SECONDS)
        self._files = Coalescer[str, FileChange](COALESCE_SECONDS, _merge)

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
        """Work until cancelled; started once nothing that is stored can be missed."""
        async with trio.open_nursery() as nursery:
            for tell in (self._tell_conversations, self._tell_projects, self._tell_files):
                nursery.start_soon(tell)
            await self._follow(task_status)
            while True:
                log.warning("fell behind what is stored; the clients are told so")
                await self._follow(trio.TASK_STATUS_IGNORED)

    async def _follow(self, task_status: trio.TaskStatus[None]) -> None:
        """Broadcast what is stored from now on, until the bus cuts us off."""
        with self._observatory.bus.subscribe() as subscription:
            self._hub.tell_lagged()  # whoever is connected already has missed what came before
            task_status.started()
            async for stored in subscription:
                for event in stored.events:
                    await self._announce(event)
                self._note(stored)

    async def _announce(self, event: Event) -> None:
        channel: Channel = "projects" if event.kind.startswith("project_") else "conversations"
        if not self._hub.hears(channel):
            return
        if event.message is not None:
            self._hub.send(channel, await self._message_added(event.seq, event.message))
        elif (data := await self._data(event)) is not None:
            self._hub.broadcast(channel, data, event.seq)

    async def _message_added(self, seq: int, message: Message) -> Frame:
        if len(message.body) < LARGE:
            return self._show(seq, message)
        return await trio.to_thread.run_sync(self._show, seq, message)

    def _show(self, seq: int, message: Message) -> Frame:
        shown = message_json(message, self._observatory.content(message))
        return frame(Broadcast("conversations", MessageAdded(message.conversation_id, shown), epoch_ms(), seq))

    async def _data(self, event: Event) -> Struct | None:
        match event:
            case Event(kind="conversation_started", conversation_id=str(id)):
                return await self._started(id)
            case Event(kind="project_discovered" | "project_updated", project_id=str(id)):
                project = await self._observatory.storage.project(id)
                told = ProjectDiscovered if event.kind == "project_discovered" else ProjectUpdated
                return told(project_json(project)) if project else None
            case Event(conversation_id=str(id), detail=StateChange() | Ending() as detail):
                return _went_on(id, detail)
            case Event(kind="conversation_forgotten", conversation_id=str(id)):
                return ConversationForgotten(id)
            case Event(kind="project_forgotten", project_id=str(id)):
                return ProjectForgotten(id)
        return None

    async def _started(self, id_: str) -> Struct | None:
        for found in await self._observatory.storage.conversations_by_id([id_]):
            return ConversationStarted(id_, id_, found.project_id, found.project_name, found.created_at)
        return None

    def _note(self, stored: Stored) -> None:
        if self._hub.hears("conversations"):
            for key in stored.conversations:
                self._conversations.add(key, key)
        if self._hub.hears("projects"):
            for key in stored.projects:
                self._projects.add(key, key)
        if stored.file is not None and self._hub.hears("files"):
            self._files.add(stored.file.path, stored.file)

    async def _tell_conversations(self) -> None:
        while True:
            ids = await self._conversations.take(READ_AT_ONCE)
            for conversation in await self._observatory.storage.conversations_by_id(ids):
                self._hub.broadcast(
                    "conversations", ConversationUpdated(conversation_json(conversation, self._observatory.redactor))
                )

    async def _tell_projects(self) -> None:
        while True:
            for key in await self._projects.take(READ_AT_ONCE):
                project = await self._observatory.storage.project(key)
                if project is not None:
                    self._hub.broadcast("projects", ProjectUpdated(project_json(project)))

    async def _tell_files(self) -> None:
        while True:
            for file in await self._files.take(READ_AT_ONCE):
                self._hub.broadcast("files", FileChanged(file.type, file.path, file.size, epoch_ms()))


def _went_on(id_: str, detail: StateChange | Ending) -> Struct:
    if isinstance(detail, StateChange):
        return ConversationStateChanged(id_, detail.before, detail.after, detail.reason)
    return ConversationEnded(id_, detail.duration_ms, detail.message_count, detail.tool_call_count, detail.ended_at)


def _merge(old: FileChange, new: FileChange) -> FileChange:
    """A file that was added and has changed since is still a new one to whoever hears of it."""
    return FileChange("add", new.path, new.size) if (old.type, new.type) == ("add", "change") else new
