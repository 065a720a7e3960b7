"""Events: what of a stored batch is news."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, insert

from ccod import Ending, Event, StateChange
from ccod_sql import messages, rows, tables
from ccod_sql.filing import Target


class Place(NamedTuple):
    """Where a conversation takes place."""

    project: str | None
    machine: str


NEW = insert(tables.events).returning(tables.events.c.seq, sort_by_parameter_order=True)


def announce(  # noqa: PLR0913
    to: Target,
    before: rows.Conversation,
    project: rows.Project | None,
    filed: Sequence[rows.Entry],
    machine: str,
    *,
    discovered: bool,
) -> Sequence[Event]:
    """Write what is news, and return it in the order in which a listener can make sense of it."""
    conversation = to.conversation
    about = conversation.key, project.key if project else None
    news: list[Event] = []
    if project and discovered:
        news.append(Event(0, "project_discovered", to.now, *about))
    if filed and not before.entry_count:
        news.append(Event(0, "conversation_started", to.now, *about))
    if filed:
        new = messages.between(to.connection, filed[0].id, filed[-1].id)
        news += [Event(0, "message_added", to.now, *about, message) for message in new]
    if conversation.state != before.state:
        news.append(_state_changed(conversation, before, about[1], to.now))
    return _write(to.connection, conversation, machine, news)


def announce_idle(
    connection: Connection, conversation: rows.Conversation, before: rows.Conversation, place: Place, now: int
) -> Sequence[Event]:
    """Write that nothing more is to be expected of a conversation, and return that."""
    ending = Ending(
        conversation.updated_at - conversation.created_at,
        conversation.message_count,
        conversation.tool_call_count,
        conversation.updated_at,
    )
    news = [Event(0, "conversation_ended", now, conversation.key, place.project, detail=ending)]
    if conversation.state != before.state:
        news.insert(0, _state_changed(conversation, before, place.project, now))
    return _write(connection, conversation, place.machine, news)


def _state_changed(conversation: rows.Conversation, before: rows.Conversation, project: str | None, now: int) -> Event:
    change = StateChange(before.state, conversation.state, conversation.state_reason)
    return Event(0, "conversation_state_changed", now, conversation.key, project, detail=change)


def _write(
    connection: Connection, conversation: rows.Conversation, machine: str, news: Sequence[Event]
) -> Sequence[Event]:
    if not news:
        return ()
    rows_ = [
        {
            "kind": event.kind,
            "at": event.at,
            "conversation_id": conversation.id,
            "project_id": conversation.project_id,
            "entry_id": event.message.sequence if event.message else None,
            "detail": msgspec.json.encode(event.detail).decode() if event.detail else None,
        }
        for event in news
    ]
    numbers = connection.scalars(NEW, rows_)
    return [msgspec.structs.replace(event, seq=seq, machine=machine) for event, seq in zip(news, numbers, strict=True)]
