"""Reads messages: a page of them, their tool calls and their bytes, in three statements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, FromClause, Row, Select, bindparam, func, select, true

from ccod import Message, MessageQuery, Page, ToolCall, Usage
from ccod_sql import archive, keyset
from ccod_sql.rows import portions
from ccod_sql.tables import TOKENS, blocks, conversations, entries, responses, streams, take_tokens, tool_calls

TOTALS = {
    None: conversations.c.message_count,
    "user": conversations.c.user_message_count,
    "assistant": conversations.c.assistant_message_count,
}

ORDER = (entries.c.at, entries.c.id)
BLOCK_ID = (
    select(blocks.c.id)
    .where(blocks.c.stream_id == entries.c.stream_id, blocks.c.start <= entries.c.offset)
    .order_by(blocks.c.start.desc())
    .limit(1)
    .scalar_subquery()
)
"""The block that holds an entry is the last that starts before it."""


def page(connection: Connection, conversation_id: str, query: MessageQuery) -> Page[Message]:
    """Return the messages that `query` asks for."""
    values = {
        "conversation": conversation_id,
        "agent": query.agent or "",
        "role": query.role,
        "skip": query.offset,
        "limit": query.limit + 1,
        **keyset.values(ORDER, query.after),
    }
    statement = _page(query.agent is None, query.role, query.descending, query.after is None)
    rows = connection.execute(statement, values).all()
    found = [row for row in rows if row.id is not None]
    some, after = keyset.cut(found, query.limit, lambda row: (row.at, row.id))
    return Page(_messages(connection, some), rows[0].total if rows else 0, after)


def between(connection: Connection, first: int, last: int) -> Sequence[Message]:
    """Return the messages among the entries from `first` to `last`, by their ids, in the order of storing."""
    return _messages(connection, connection.execute(BETWEEN, {"first": first, "last": last}).all())


def with_ids(connection: Connection, ids: Sequence[int]) -> Sequence[Message]:
    """Return those of the entries `ids` that are messages whose bytes are there, in any order."""
    rows = [row for some in portions(ids) for row in connection.execute(WITH_IDS, {"ids": some})]
    return _messages(connection, [row for row in rows if row.block_id is not None])


@cache
def _page(own: bool, role: str | None, descending: bool, from_start: bool) -> Select[Any]:
    """Return the statement. It finds the page in an index alone, then reads no other entries than the page's.

    The conversation's row comes also without a page, and with it the total.
    """
    conversation = select(conversations.c.id).where(conversations.c.key == bindparam("conversation"))
    c = entries.c
    where = [
        c.conversation_id == conversation.scalar_subquery(),
        c.agent == bindparam("agent"),
        c.role.is_not(None),
    ]
    if role:
        where.append(c.role == bindparam("role"))
    order = keyset.ordered(ORDER, descending)
    some = select(c.id).where(*where).order_by(*order).limit(bindparam("limit")).offset(bindparam("skip"))
    if not from_start:
        some = some.where(keyset.beyond(ORDER, descending))
    page = some.subquery()
    total = TOTALS[role] if own else select(func.count()).where(*where).scalar_subquery()
    source = conversations.outerjoin(page, true()).outerjoin(entries, c.id == page.c.id)
    return (
        _select(source)
        .add_columns(total.label("total"))
        .where(conversations.c.key == bindparam("conversation"))
        .order_by(*order)
    )


def _select(source: FromClause) -> Select[Any]:
    return select(
        *(entries.c[name] for name in ("id", "stream_id", "offset", "length", "uuid", "parent", "agent")),
        *(entries.c[name] for name in ("at", "role", "sidechain", "meta", "response_id")),
        conversations.c.key.label("conversation"),
        streams.c.format,
        responses.c.message_id,
        responses.c.model,
        *(responses.c[name] for name in TOKENS),
        BLOCK_ID.label("block_id"),
    ).select_from(
        source.outerjoin(streams, streams.c.id == entries.c.stream_id).outerjoin(
            responses, responses.c.id == entries.c.response_id
        )
    )


MESSAGES = _select(entries.join(conversations, conversations.c.id == entries.c.conversation_id))
BETWEEN = MESSAGES.where(
    entries.c.id.between(bindparam("first"), bindparam("last")), entries.c.role.is_not(None)
).order_by(entries.c.id)
WITH_IDS = MESSAGES.where(entries.c.id.in_(bindparam("ids", expanding=True)), entries.c.role.is_not(None))


def _messages(connection: Connection, rows: Sequence[Row[Any]]) -> list[Message]:
    found = bodies(connection, rows)
    calls = _tool_calls(connection, rows)
    return [
        Message(
            id=message_id(row.uuid, row.stream_id, row.offset),
            conversation_id=row.conversation,
            sequence=row.id,
            role=row.role,
            at=row.at,
            format=row.format,
            body=found[row.id],
            parent_id=row.parent,
            agent=row.agent or None,
            sidechain=row.sidechain,
            meta=row.meta,
            model=row.model,
            response_id=row.message_id,
            usage=None if row.response_id is None else Usage(*take_tokens(row)),
            tool_calls=calls.get(row.id, ()),
        )
        for row in rows
    ]


def message_id(uuid: str | None, stream_id: int, offset: int) -> str:
    """Return what names a message: its uuid, or where it stands."""
    return uuid or f"{stream_id}:{offset}"


def bodies(connection: Connection, rows: Sequence[Row[Any]]) -> dict[int, bytes]:
    """Return the bytes of each entry by its id; each block is read and unpacked once."""
    wanted: dict[int, list[Row[Any]]] = defaultdict(list)
    for row in rows:
        wanted[row.block_id].append(row)
    found = {}
    columns = select(blocks.c.id, blocks.c.start, blocks.c.codec, blocks.c.data)
    for some in portions(wanted):
        for block in connection.execute(columns.where(blocks.c.id.in_(some))):
            data = archive.unpack(block.codec, block.data)
            for row in wanted[block.id]:
                at = row.offset - block.start
                found[row.id] = data[at : at + row.length]
    return found


def _tool_calls(connection: Connection, rows: Sequence[Row[Any]]) -> dict[int, list[ToolCall]]:
    """Return the calls that each entry makes, by its id."""
    calls: dict[int, list[ToolCall]] = defaultdict(list)
    for some in portions(row.id for row in rows):
        for call in connection.execute(CALLS, {"entries": some}):
            answered = call.result_entry_id is not None
            calls[call.use_entry_id].append(
                ToolCall(
                    id=call.tool_use_id,
                    name=call.name,
                    status="pending" if not answered else "error" if call.is_error else "success",
                    duration_ms=call.duration_ms,
                    result_message_id=message_id(call.uuid, call.stream_id, call.offset) if answered else None,
                )
            )
    return calls


CALLS = (
    select(
        *(tool_calls.c[name] for name in ("tool_use_id", "name", "use_entry_id", "result_entry_id")),
        *(tool_calls.c[name] for name in ("is_error", "duration_ms")),
        *(entries.c[name] for name in ("uuid", "stream_id", "offset")),
    )
    .select_from(tool_calls.outerjoin(entries, entries.c.id == tool_calls.c.result_entry_id))
    .where(tool_calls.c.use_entry_id.in_(bindparam("entries", expanding=True)))
    .order_by(tool_calls.c.use_entry_id, tool_calls.c.use_index)
)
