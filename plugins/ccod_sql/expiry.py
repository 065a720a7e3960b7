"""Changes the states that change by the clock alone, a few at a time."""

from __future__ import annotations

from copy import copy

from sqlalchemy import Connection, Dialect, bindparam, select

from ccod import Event, Stored
from ccod_sql import news, rows, states
from ccod_sql.rows import Rows
from ccod_sql.tables import conversations, machines, projects

AT_ONCE = 20

DUE = (
    select(
        *(conversations.c[name] for name in rows.Conversation.__struct_fields__),
        projects.c.key.label("project"),
        machines.c.name.label("machine"),
    )
    .select_from(
        conversations.join(machines, machines.c.id == conversations.c.machine_id).outerjoin(
            projects, projects.c.id == conversations.c.project_id
        )
    )
    .where(conversations.c.state_due <= bindparam("now"))
    .order_by(conversations.c.state_due)
    .limit(AT_ONCE)
)


class Expiry:
    """Looks for conversations whose time has run out. Its caller holds the transaction."""

    def __init__(self, dialect: Dialect) -> None:
        self._conversations = Rows(dialect, conversations, rows.Conversation)

    def step(self, connection: Connection, now: int) -> Stored | None:
        """Bring up to date those that have been due for longest; return None if none is."""
        changed: list[rows.Conversation] = []
        events: list[Event] = []
        for *values, project, machine in connection.execute(DUE, {"now": now}).all():
            conversation = rows.Conversation(*values)
            before = copy(conversation)
            states.settle(conversation, now)
            events += news.announce_idle(connection, conversation, before, news.Place(project, machine), now)
            changed.append(conversation)
        self._conversations.update(connection, changed)
        return Stored(events, [conversation.key for conversation in changed]) if changed else None
