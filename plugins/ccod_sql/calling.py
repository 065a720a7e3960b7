"""Reads tool calls with the messages that make and answer them."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, func, select

from ccod import CalledTool, Page, ToolCall, ToolCallQuery, ToolStatus
from ccod_sql import keyset, messages
from ccod_sql.tables import conversations, tool_calls

C = tool_calls.c
ORDER = (C.used_at, C.use_entry_id, C.use_index)
STATUSES: dict[ToolStatus, ColumnElement[bool]] = {
    "pending": C.result_entry_id.is_(None),
    "success": C.result_entry_id.is_not(None) & ~C.is_error,
    "error": C.result_entry_id.is_not(None) & C.is_error,
}


def find(connection: Connection, conversation_id: str, query: ToolCallQuery) -> Page[CalledTool]:
    """Return the calls that `query` asks for."""
    conversation = select(conversations.c.id).where(conversations.c.key == conversation_id).scalar_subquery()
    where = [C.conversation_id == conversation, C.agent == (query.agent or ""), C.use_entry_id.is_not(None)]
    if query.name is not None:
        where.append(C.name == query.name)
    if query.status is not None:
        where.append(STATUSES[query.status])
    some = (
        select(C.use_entry_id, C.use_index).where(*where).order_by(*ORDER).limit(query.limit + 1).offset(query.offset)
    )
    if query.after is not None:
        some = some.where(keyset.beyond(ORDER, descending=False))
    of_page = some.subquery()
    same = (C.use_entry_id == of_page.c.use_entry_id) & (C.use_index == of_page.c.use_index)
    page = select(tool_calls).join(of_page, same).order_by(*ORDER)
    found_rows = connection.execute(page, keyset.values(ORDER, query.after)).all()
    rows, after = keyset.cut(found_rows, query.limit, lambda row: (row.used_at, row.use_entry_id, row.use_index))
    total = connection.scalar(select(func.count()).select_from(tool_calls).where(*where)) or 0
    ids = {id_ for row in rows for id_ in (row.use_entry_id, row.result_entry_id) if id_ is not None}
    found = {message.sequence: message for message in messages.with_ids(connection, list(ids))}
    calls = []
    for row in rows:
        use, result = found.get(row.use_entry_id), found.get(row.result_entry_id)
        status: ToolStatus = "pending" if row.result_entry_id is None else "error" if row.is_error else "success"
        call = ToolCall(row.tool_use_id, row.name, status, row.duration_ms, result.id if result else None)
        calls.append(CalledTool(call, row.used_at, row.agent or None, use, result))
    return Page(calls, total, after)
