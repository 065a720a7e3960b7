"""/api/conversations"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Literal

import trio
from msgspec import Meta

from ccod import ConversationQuery, Message, MessageQuery, Observatory, State, Status
from ccod_http.web import (
    ConversationJson,
    MessageJson,
    Paged,
    Paging,
    Problem,
    Routes,
    conversation_json,
    message_json,
    query_time,
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


def conversation_routes(observatory: Observatory) -> Routes:
    routes = Routes("conversations", __name__, url_prefix="/api/conversations")
    storage, redactor = observatory.storage, observatory.redactor

    @routes.get("", access="read", stored=True)
    async def conversations(query: ConversationParameters) -> Paged[list[ConversationJson]]:
        """List conversations."""
        page = await storage.conversations(_conversation_query(query))
        return query.paged([conversation_json(each, redactor) for each in page.items], page.total)

    @routes.get("/<conversation_id>", access="read", stored=True, errors=[404])
    async def conversation(conversation_id: str) -> ConversationJson:
        """Show one conversation."""
        return conversation_json(await find_conversation(storage, conversation_id), redactor)

    @routes.get("/<conversation_id>/messages", access="read", stored=True, errors=[404])
    async def messages(conversation_id: str, query: MessageParameters) -> Paged[list[MessageJson]]:
        """List the messages of a conversation, or of one of its subagents, by time."""
        check_reveal(query.reveal, conversation_id)
        await find_conversation(storage, conversation_id)
        page = await storage.messages(
            conversation_id,
            MessageQuery(
                agent=query.agent,
                role=query.role,
                descending=query.order == "desc",
                offset=query.offset,
                limit=query.limit,
            ),
        )
        shown = partial(_shown, observatory, page.items, reveal=query.reveal)
        return query.paged(await trio.to_thread.run_sync(shown), page.total)

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
