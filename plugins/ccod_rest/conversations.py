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
    Listing,
    MessageJson,
    Moment,
    Paged,
    Problem,
    Routes,
    conversation_json,
    message_json,
    query_time,
)
from ccod_rest.examples import CONVERSATION, MESSAGE
from ccod_rest.finding import find_conversation
from ccod_rest.revealing import Reveal, check_reveal

Id = Annotated[str, Meta(min_length=1)]


class ConversationParameters(Listing):
    sort: Annotated[
        Literal["updatedAt", "createdAt", "title", "messageCount"], Meta(description="By what they are sorted.")
    ] = "updatedAt"
    order: Annotated[Literal["asc", "desc"], Meta(description="`desc`: the last or the most first.")] = "desc"
    id_prefix: Annotated[Id | None, Meta(description="Only those whose id begins with it.")] = None
    project_id: Annotated[Id | None, Meta(description="Only those of this project.")] = None
    status: Annotated[Status | None, Meta(description="Only those of this status.")] = None
    state: Annotated[State | None, Meta(description="Only those in this state.")] = None
    model: Annotated[Id | None, Meta(description="Only those at which this model was last at work.")] = None
    has_errors: Annotated[bool | None, Meta(description="Whether an API response failed.")] = None
    start_date: Annotated[Moment | None, Meta(description="Only what went on then or later.")] = None
    end_date: Annotated[Moment | None, Meta(description="Only what began by then; a date is all of its day.")] = None


class MessageParameters(Listing):
    limit: Annotated[int, Meta(ge=1, le=200, description="How many messages a page holds.")] = 50
    role: Annotated[Literal["user", "assistant"] | None, Meta(description="Only those of this role.")] = None
    agent: Annotated[Id | None, Meta(description="Those of this subagent, not the conversation's own.")] = None
    order: Annotated[Literal["asc", "desc"], Meta(description="`asc`: the oldest first.")] = "asc"
    reveal: Reveal = False


def conversation_routes(observatory: Observatory) -> Routes:
    routes = Routes("conversations", __name__, url_prefix="/api/conversations")
    storage, redactor = observatory.storage, observatory.redactor

    @routes.get("", access="read", stored=True, example=[CONVERSATION])
    async def conversations(query: ConversationParameters) -> Paged[list[ConversationJson]]:
        """List conversations."""
        page = await storage.conversations(_conversation_query(query))
        return query.listed([conversation_json(each, redactor) for each in page.items], page.total, page.next)

    @routes.get("/<conversation_id>", access="read", stored=True, errors=[404], example=CONVERSATION)
    async def conversation(conversation_id: str) -> ConversationJson:
        """Show one conversation."""
        return conversation_json(await find_conversation(storage, conversation_id), redactor)

    @routes.get("/<conversation_id>/messages", access="read", stored=True, errors=[404], example=[MESSAGE])
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
                after=query.after,
            ),
        )
        shown = partial(_shown, observatory, page.items, reveal=query.reveal)
        return query.listed(await trio.to_thread.run_sync(shown), page.total, page.next)

    return routes


def _conversation_query(wanted: ConversationParameters) -> ConversationQuery:
    since = query_time("startDate", wanted.start_date)
    until = query_time("endDate", wanted.end_date, end=True)
    if since is not None and until is not None and since > until:
        raise Problem(400, "VALIDATION_FAILED", "Parameter 'startDate' is after 'endDate'.")
    return ConversationQuery(
        id_prefix=wanted.id_prefix,
        project_id=wanted.project_id,
        status=wanted.status,
        state=wanted.state,
        model=wanted.model,
        has_errors=wanted.has_errors,
        since=since,
        until=until,
        offset=wanted.offset,
        sort=wanted.sort,
        descending=wanted.order == "desc",
        limit=wanted.limit,
        after=wanted.after,
    )


def _shown(observatory: Observatory, messages: Sequence[Message], *, reveal: bool) -> list[MessageJson]:
    """Parse the bodies, which can be megabytes: run it in a thread, where it holds up nobody."""
    return [message_json(message, observatory.content(message, reveal=reveal)) for message in messages]
