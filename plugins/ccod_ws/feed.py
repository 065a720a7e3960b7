"""From what was stored to what is broadcast."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

import structlog
import trio

from ccod import Event, FileChange, Observatory, StorageUnavailableError, Stored
from ccod_http.web import conversation_json, epoch_ms, project_json
from ccod_ws.coalescer import Coalescer
from ccod_ws.events import ConversationUpdated, FileChanged, ProjectUpdated
from ccod_ws.filters import Topic
from ccod_ws.hub import Hub
from ccod_ws.listener import RETRY_SECONDS
from ccod_ws.telling import topic_of

COALESCE_SECONDS = 0.25
READ_AT_ONCE = 100

T = TypeVar("T")

log = structlog.get_logger("ccod.ws")


class Feed:
    """Tells events as they come, and how things now are at a bearable pace. Makes nothing that nobody hears."""

    def __init__(self, hub: Hub, observatory: Observatory) -> None:
        self._hub = hub
        self._observatory = observatory
        self._conversations = Coalescer[str, str](COALESCE_SECONDS)
        self._projects = Coalescer[str, str](COALESCE_SECONDS)
        self._files = Coalescer[tuple[str | None, str], FileChange](COALESCE_SECONDS, _merge)

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
        """Work until cancelled; started once nothing that is stored can be missed."""
        async with trio.open_nursery() as nursery:
            for tell in (self._tell_conversations, self._tell_projects, self._tell_files):
                nursery.start_soon(tell)
            await self._follow(task_status)
            while True:
                log.warning("fell behind what is stored; the clients get it from the storage")
                await self._follow(trio.TASK_STATUS_IGNORED)

    async def _follow(self, task_status: trio.TaskStatus[None]) -> None:
        """Broadcast what is stored from now on, until the bus cuts us off."""
        with self._observatory.bus.subscribe() as subscription:
            self._hub.begin(await _asked(self._observatory.storage.position))
            task_status.started()
            async for stored in subscription:
                for event in stored.events:
                    if event.seq > self._hub.position:
                        await self._announce(event)
                self._note(stored)

    async def _announce(self, event: Event) -> None:
        topic = topic_of(event)
        (told,) = await _asked(partial(self._hub.teller.tell, [event])) if self._hub.hears(topic) else [None]
        if told is not None and event.message is not None:
            await self._hub.note(topic)
        if told is None:
            self._hub.pass_over(event.seq)
        else:
            self._hub.send(topic, told)

    def _note(self, stored: Stored) -> None:
        if self._hub.hears_channel("conversations"):
            for key in stored.conversations:
                self._conversations.add(key, key)
        if self._hub.hears_channel("projects"):
            for key in stored.projects:
                self._projects.add(key, key)
        if stored.file is not None and self._hub.hears_channel("files"):
            self._files.add((stored.file.machine, stored.file.path), stored.file)

    async def _tell_conversations(self) -> None:
        while True:
            ids = await self._conversations.take(READ_AT_ONCE)
            as_of = self._hub.position
            for each in await _asked(partial(self._observatory.storage.conversations_by_id, ids)):
                topic = Topic("conversations", "conversation_updated", each.id, each.project_id, each.machine)
                if self._hub.hears(topic):
                    shown = conversation_json(each, self._observatory.redactor)
                    self._hub.publish(topic, ConversationUpdated(shown), as_of)

    async def _tell_projects(self) -> None:
        while True:
            for key in await self._projects.take(READ_AT_ONCE):
                as_of = self._hub.position
                project = await _asked(partial(self._observatory.storage.project, key))
                if project is not None:
                    topic = Topic("projects", "project_updated", None, key, project.machine)
                    self._hub.publish(topic, ProjectUpdated(project_json(project)), as_of)

    async def _tell_files(self) -> None:
        while True:
            for file in await self._files.take(READ_AT_ONCE):
                as_of = self._hub.position
                told = FileChanged(file.type, file.path, file.size, epoch_ms())
                self._hub.publish(Topic("files", file.type, machine=file.machine), told, as_of)


async def _asked(ask: Callable[[], Awaitable[T]]) -> T:
    """Ask the storage, again and again while it cannot be read: there is nothing to tell meanwhile."""
    while True:
        try:
            return await ask()
        except StorageUnavailableError:
            await trio.sleep(RETRY_SECONDS)


def _merge(old: FileChange, new: FileChange) -> FileChange:
    """A file that was added and has changed since is still a new one to whoever hears of it."""
    return FileChange("add", new.path, new.size, new.machine) if (old.type, new.type) == ("add", "change") else new
