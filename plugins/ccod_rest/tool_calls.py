"""/api/conversations/:id/tool-calls"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated, Any

import trio
from msgspec import Meta, Struct

from ccod import Block, CalledTool, Message, Observatory, ToolCallQuery, ToolStatus
from ccod_http.web import Listing, Paged, Routes, iso
from ccod_rest.attachments import attached, by_name, file_name
from ccod_rest.finding import find_conversation

Text = Annotated[str, Meta(min_length=1)]


class ToolCallParameters(Listing):
    limit: Annotated[int, Meta(ge=1, le=200, description="How many calls a page holds.")] = 50
    agent: Annotated[Text | None, Meta(description="Those of this subagent, not the conversation's own.")] = None
    name: Annotated[Text | None, Meta(description="Only calls of this tool.")] = None
    status: Annotated[ToolStatus | None, Meta(description="Only calls of this status.")] = None


class CalledToolJson(Struct, frozen=True, rename="camel"):
    """`output` is the text of the result: null while there is none. Where that is not all of the output, all of it is
    the attachment `outputAttachmentId`."""

    id: str
    name: str
    status: str
    duration_ms: int | None
    timestamp: str
    agent_id: str | None
    input: Any
    output: str | None
    output_attachment_id: str | None
    message_id: str | None
    result_message_id: str | None


def tool_call_routes(observatory: Observatory) -> Routes:
    routes = Routes("tool_calls", __name__, url_prefix="/api/conversations")
    storage = observatory.storage

    @routes.get("/<conversation_id>/tool-calls", access="read", stored=True, errors=[404])
    async def tool_calls(conversation_id: str, query: ToolCallParameters) -> Paged[list[CalledToolJson]]:
        """List the tool calls of a conversation, or of one of its subagents, in the order in which they were made."""
        await find_conversation(storage, conversation_id)
        asked = ToolCallQuery(query.agent, query.name, query.status, query.offset, query.limit, query.after)
        page = await storage.tool_calls(conversation_id, asked)
        files = by_name(await attached(storage, conversation_id))
        shown = await trio.to_thread.run_sync(partial(_shown, observatory, page.items, files))
        return query.listed(shown, page.total, page.next)

    return routes


def _shown(observatory: Observatory, calls: Sequence[CalledTool], files: Mapping[str, str]) -> list[CalledToolJson]:
    """Parse the bodies, which can be megabytes: run it in a thread, where it holds up nobody."""
    return [_called_tool_json(observatory, each, files) for each in calls]


def _called_tool_json(observatory: Observatory, called: CalledTool, files: Mapping[str, str]) -> CalledToolJson:
    call = called.call
    use = next((block for block in _blocks(observatory, called.use) if block.id == call.id), None)
    result = next((block for block in _blocks(observatory, called.result) if block.tool_use_id == call.id), None)
    return CalledToolJson(
        id=call.id,
        name=call.name,
        status=call.status,
        duration_ms=call.duration_ms,
        timestamp=iso(called.at),
        agent_id=called.agent,
        input=use.input if use else None,
        output=result.text if result else None,
        output_attachment_id=_whole_output(call.id, result, files),
        message_id=called.use.id if called.use else None,
        result_message_id=call.result_message_id,
    )


def _whole_output(call: str, result: Block | None, files: Mapping[str, str]) -> str | None:
    """Return the id of the file that the result names, or that is named after the call."""
    path = result.output_path if result else None
    if path:
        return files.get(file_name(path))
    return files.get(f"{call}.txt") or files.get(f"{call}.json")


def _blocks(observatory: Observatory, message: Message | None) -> Sequence[Block]:
    return observatory.content(message).blocks if message else ()
