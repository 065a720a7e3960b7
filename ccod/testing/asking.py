"""How tests put questions to a storage."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import msgspec

from ccod import Conversation, Event, Health, Message, MessageQuery, Project, ProjectQuery, Storage, Stored
from ccod.testing.transcripts import SOURCE, Transcript

Storages = Callable[[], AbstractAsyncContextManager[Storage]]
"""Opens the storage; what is opened again holds what was stored before."""


class Clock:
    """The time as the storage sees it."""

    def __init__(self) -> None:
        self.now = 1_800_000_000_000

    def __call__(self) -> int:
        return self.now


async def send(storage: Storage, transcript: Transcript, **how: Any) -> Stored:
    return await storage.append(SOURCE, *transcript.batch(**how))


async def conversation(storage: Storage, key: str = "conversation-1") -> Conversation:
    (found,) = await storage.conversations_by_id([key])
    return found


async def maintain(storage: Storage) -> list[Event]:
    """Let the storage do all there is to do, and return what it tells."""
    events: list[Event] = []
    while (stored := await storage.maintain(Health())) is not None:
        events += stored.events
    return events


async def messages(storage: Storage, key: str = "conversation-1", **query: Any) -> list[Message]:
    return [*(await storage.messages(key, MessageQuery(**({"limit": 200} | query)))).items]


async def projects(storage: Storage) -> list[Project]:
    return [*(await storage.projects(ProjectQuery(sort="name", descending=False))).items]


async def shape(storage: Storage, key: str) -> object:
    """Return all that is seen of a conversation, without what differs between any two."""
    shown = msgspec.structs.replace(await conversation(storage, key), id="", file_path="")
    numbers = {message.id: str(number) for number, message in enumerate(await messages(storage, key))}
    return shown, [
        msgspec.structs.replace(
            message,
            id=numbers[message.id],
            conversation_id="",
            sequence=0,
            body=message.body.split(b" of ")[0],
            tool_calls=[
                msgspec.structs.replace(call, result_message_id=numbers.get(call.result_message_id or ""))
                for call in message.tool_calls
            ],
        )
        for message in await messages(storage, key)
    ]
