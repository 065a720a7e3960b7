"""/api/conversations"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Literal

import trio
from msgspec import Meta
from quart import Blueprint, Response

from ccod import ConversationQuery, Message, MessageQuery, Observatory, State, Status
from ccod_http.web import (
    MessageJson,
    NoParameters,
    Paging,
    Problem,
    conversation_json,
    message_json,
    ok,
    query,
    query_time,
    require_reader,
)
from ccod_rest.finding import find_conversation
from ccod_rest.revealing import check_reveal

Id = Annotated[str, Meta(min_length=1)]


class ConversationParameters(Paging):
    project_id: Id | None = None
    status: Status | None = None
    state: State | None = None
    start_date: str | None = None
    end_date: str | None = None


class MessageParameters(Paging):
    limit: Annotated[int, Meta(ge=1, le=200)] = 50
    role: Literal["user", "assistant"] | None = None
    agent: Id | None = None
    order: Literal["asc", "desc"] = "asc"
    reveal: bool = False


def conversation_routes(observatory: Observatory) -> Blueprint:
    routes = Blueprint("conversations", __name__, url_prefix="/api/conversations")
    routes.before_request(require_reader)
    storage, redactor = observatory.storage, observatory.redactor

    @routes.get("")
    async def conversations() -> Response:
        wanted = query(ConversationParameters)
        page = await storage.conversations(_conversation_query(wanted))
        return ok([conversation_json(each, redactor) for each in page.items], wanted.of(page.total))

    @routes.get("/<conversation_id>")
    async def conversation(conversation_id: str) -> Response:
        query(NoParameters)
        return ok(conversation_json(await find_conversation(storage, conversation_id), redactor))

    @routes.get("/<conversation_id>/messages")
    async def messages(conversation_id: str) -> Response:
        wanted = query(MessageParameters)
        await check_reveal(wanted.reveal, conversation_id)
        await find_conversation(storage, conversation_id)
        page = await storage.messages(
            conversation_id,
            MessageQuery(
                agent=wanted.agent,
                role=wanted.role,
                descending=wanted.order == "desc",
                offset=wanted.offset,
                limit=wanted.limit,
            ),
        )
        shown = partial(_shown, observatory, page.items, reveal=wanted.reveal)
        return ok(await trio.to_thread.run_sync(shown), wanted.of(page.total))

    return routes


def _conversation_query(wanted: ConversationParameters) -> ConversationQuery:
    since = query_time("startDate", wanted.start_date)
    until = query_time("endDate", wanted.end_date, end=True)
    if since is not None and until is not None and since > until:
        raise Problem(400, "VALIDATION_FAILED", "Parameter 'startDate' is after 'endDate'.")
    return ConversationQuery(
        project_id=wanted.project_id,
        status=wanted.status,
        state=wanted.state,
        since=since,
        until=until,
        offset=wanted.offset,
        limit=wanted.limit,
    )


def _shown(observatory: Observatory, messages: Sequence[Message], *, reveal: bool) -> list[MessageJson]:
    """Parse the bodies, which can be megabytes: run it in a thread, where it holds up nobody."""
    return [message_json(message, observatory.content(message, reveal=reveal)) for message in messages]
