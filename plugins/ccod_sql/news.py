"""Events: what of a stored batch is news."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import insert

from ccod import Event
from ccod_sql import messages, rows, tables
from ccod_sql.filing import Target

NEW = insert(tables.events).returning(tables.events.c.seq, sort_by_parameter_order=True)


def announce(
    to: Target, before: rows.Conversation, project: rows.Project | None, filed: Sequence[rows.Entry]
) -> Sequence[Event]:
    """Write what is news, and return it in the order in which a listener can make sense of it."""
    conversation = to.conversation
    about = conversation.key, project.key if project else None
    news: list[Event] = []
    if project and before.project_id is None and project.conversation_count == 1:
        news.append(Event(0, "project_discovered", to.now, *about))
    if filed and not before.entry_count:
        news.append(Event(0, "conversation_started", to.now, *about))
    if filed:
        new = messages.between(to.connection, filed[0].id, filed[-1].id)
        news += [Event(0, "message_added", to.now, *about, message) for message in new]
    if not news:
        return ()
    rows_ = [
        {
            "kind": event.kind,
            "at": event.at,
            "conversation_id": conversation.id,
            "project_id": conversation.project_id,
            "entry_id": event.message.sequence if event.message else None,
        }
        for event in news
    ]
    numbers = to.connection.scalars(NEW, rows_)
    return [msgspec.structs.replace(event, seq=seq) for event, seq in zip(news, numbers, strict=True)]
