"""Reads projects, conversations and checkpoints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, FromClause, Row, Select, bindparam, func, select

from ccod import (
    STATUSES,
    Checkpoint,
    Conversation,
    ConversationQuery,
    Key,
    Page,
    Project,
    ProjectQuery,
    Stream,
    Usage,
    WrongKeyError,
)
from ccod_sql import keyset, owners
from ccod_sql.rollups import folder_name
from ccod_sql.rows import portions
from ccod_sql.tables import COUNTERS, conversations, forgotten_streams, machines, projects, streams, take_tokens

PROJECT_SORTS: dict[str, ColumnElement[Any]] = {
    "updatedAt": projects.c.updated_at,
    "createdAt": projects.c.created_at,
    "name": projects.c.name,
    "lastActivity": func.coalesce(projects.c.last_activity, 0, type_=projects.c.last_activity.type),
    "conversationCount": projects.c.conversation_count,
}
CONVERSATION_SORTS: dict[str, ColumnElement[Any]] = {
    "updatedAt": conversations.c.updated_at,
    "createdAt": conversations.c.created_at,
    "title": conversations.c.title,
    "messageCount": conversations.c.message_count,
}
PROJECTS = select(projects, machines.c.name.label("machine")).join_from(projects, machines)
CONVERSATIONS = select(
    conversations,
    machines.c.name.label("machine"),
    projects.c.key.label("project"),
    projects.c.name.label("project_name"),
).select_from(
    conversations.join(machines, machines.c.id == conversations.c.machine_id).outerjoin(
        projects, projects.c.id == conversations.c.project_id
    )
)
LAST_CHARACTER = "\U0010ffff"
"""Stands for no character, and behind all that do."""
SHOWN = tuple(name for name in COUNTERS if name != "entry_count")


def checkpoints(connection: Connection, machine_id: int, source: str) -> list[tuple[Stream, Checkpoint]]:
    c, f = streams.c, forgotten_streams.c
    stored = select(c.key, c.format, c.kind, c.path, conversations.c.key, c.agent, c.position, c.state).join_from(
        streams, conversations
    )
    forgotten = select(f.key, f.format, f.kind, f.path, f.conversation, f.agent, f.position, f.state)
    rows = connection.execute(
        stored.where(c.machine_id == machine_id, c.source == source).union_all(
            forgotten.where(f.machine_id == machine_id, f.source == source)
        )
    )
    return [
        (Stream(key, format_, path, conversation, agent or None, kind), Checkpoint(position, state))
        for key, format_, kind, path, conversation, agent, position, state in rows
    ]


def find_projects(connection: Connection, query: ProjectQuery) -> Page[Project]:
    columns = PROJECT_SORTS[query.sort], projects.c.id
    where = [] if query.name is None else [projects.c.name == query.name]
    where += owners.of(projects.c.machine_id, query.machines)
    some = PROJECTS.add_columns(columns[0].label("sorted_by")).where(*where)
    some = some.order_by(*keyset.ordered(columns, query.descending)).limit(query.limit + 1).offset(query.offset)
    if query.after is not None:
        some = some.where(keyset.beyond(columns, query.descending))
    found = connection.execute(some, keyset.values(columns, query.after)).all()
    rows, after = keyset.cut(found, query.limit, lambda row: (row.sorted_by, row.id))
    return Page([_project(row) for row in rows], _count(connection, projects, *where), after)


def find_project(connection: Connection, id_: str) -> Project | None:
    row = connection.execute(PROJECTS.where(projects.c.key == id_)).one_or_none()
    return None if row is None else _project(row)


def find_conversations(connection: Connection, query: ConversationQuery) -> Page[Conversation]:
    c = conversations.c
    where = owners.of(c.machine_id, query.machines)
    if query.id_prefix is not None:
        where.append(c.id.in_(_beginning_with(query.id_prefix)))
    if query.project_id is not None:
        where.append(c.project_id == select(projects.c.id).where(projects.c.key == query.project_id).scalar_subquery())
    if query.status is not None:
        where.append(c.state.in_([state for state, status in STATUSES.items() if status == query.status]))
    if query.state is not None:
        where.append(c.state == query.state)
    if query.model is not None:
        where.append(c.model == query.model)
    if query.has_errors is not None:
        where.append((c.error_count > 0) == query.has_errors)
    if query.since is not None:
        where.append(c.updated_at >= query.since)
    if query.until is not None:
        where.append(c.created_at <= query.until)
    columns = CONVERSATION_SORTS[query.sort], c.id
    order = keyset.ordered(columns, query.descending)
    some = select(c.id).where(*where).order_by(*order).limit(query.limit + 1).offset(query.offset)
    if query.after is not None:
        some = some.where(keyset.beyond(columns, query.descending))
    page = CONVERSATIONS.add_columns(columns[0].label("sorted_by")).where(c.id.in_(some)).order_by(*order)
    by_title = query.sort == "title"
    start = _named(connection, query.after) if by_title and query.after else query.after
    found = connection.execute(page, keyset.values(columns, start)).all()
    rows, after = keyset.cut(found, query.limit, lambda row: (row.id,) if by_title else (row.sorted_by, row.id))
    return Page([conversation(row) for row in rows], _count(connection, conversations, *where), after)


def _beginning_with(prefix: str) -> Select[tuple[int]]:
    """Return what chooses conversations by a stretch of the index of their ids, whatever order they are listed in."""
    key = conversations.c.key
    return select(conversations.c.id).where(key >= prefix, key < prefix + LAST_CHARACTER)


def _named(connection: Connection, key: Key) -> Key:
    """Return the whole key of a conversation in the order of titles: a title may hold secrets, so keys leave it out."""
    c = conversations.c
    same = c.id == bindparam("after_0")
    at = connection.execute(select(c.title, c.id).where(same), keyset.values([c.id], key)).first()
    if at is None:
        raise WrongKeyError("the conversation behind which the list goes on is there no more")
    return at.title, at.id


def conversations_with(connection: Connection, ids: Sequence[str]) -> list[Conversation]:
    return [
        conversation(row)
        for some in portions(ids)
        for row in connection.execute(CONVERSATIONS.where(conversations.c.key.in_(some)))
    ]


def _count(connection: Connection, table: FromClause, *where: ColumnElement[bool]) -> int:
    return connection.scalar(select(func.count()).select_from(table).where(*where)) or 0


def _project(row: Row[Any]) -> Project:
    return Project(
        id=row.key,
        name=row.name,
        path=row.path,
        machine=row.machine,
        created_at=row.created_at,
        updated_at=row.updated_at,
        last_activity=row.last_activity,
        conversation_count=row.conversation_count,
        description=row.description,
        settings=msgspec.json.decode(row.settings),
    )


def conversation(row: Row[Any]) -> Conversation:
    return Conversation(
        id=row.key,
        project_id=row.project,
        project_name=row.project_name or folder_name(row.file_path),
        title=row.title,
        state=row.state,
        state_reason=row.state_reason,
        state_since=row.state_since,
        created_at=row.created_at,
        updated_at=row.updated_at,
        file_path=row.file_path,
        machine=row.machine,
        usage=Usage(*take_tokens(row)),
        cost_nanos=row.cost_nanos,
        model=row.model,
        version=row.version,
        branch=row.branch,
        cwd=row.cwd,
        latest_cwd=row.latest_cwd,
        file_deleted_at=row.file_deleted_at,
        file_rewritten_at=row.file_rewritten_at,
        **{name: getattr(row, name) for name in SHOWN},
    )
