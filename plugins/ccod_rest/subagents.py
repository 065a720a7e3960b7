"""/api/conversations/:id/subagents"""

from __future__ import annotations

from msgspec import Struct

from ccod import Observatory, Redactor, Subagent
from ccod_http.web import CostedUsageJson, Routes, costed_usage_json, iso
from ccod_rest.finding import find_conversation


class SubagentJson(Struct, frozen=True, rename="camel"):
    """`messageId` is the message that makes the call `toolUseId`; `parentAgentId` is null below the conversation."""

    id: str
    agent_type: str | None
    description: str | None
    tool_use_id: str | None
    message_id: str | None
    parent_agent_id: str | None
    depth: int | None
    message_count: int
    tool_usage_count: int
    usage: CostedUsageJson
    model: str | None
    started_at: str | None
    ended_at: str | None
    duration_ms: int | None


def subagent_routes(observatory: Observatory) -> Routes:
    routes = Routes("subagents", __name__, url_prefix="/api/conversations")
    storage, redactor = observatory.storage, observatory.redactor

    @routes.get("/<conversation_id>/subagents", access="read", stored=True, errors=[404])
    async def subagents(conversation_id: str) -> list[SubagentJson]:
        """List the subagents of a conversation, by the time at which they started."""
        await find_conversation(storage, conversation_id)
        return [subagent_json(each, redactor) for each in await storage.subagents(conversation_id)]

    return routes


def subagent_json(subagent: Subagent, redactor: Redactor) -> SubagentJson:
    started, ended = subagent.started_at, subagent.ended_at
    return SubagentJson(
        id=subagent.id,
        agent_type=_masked(subagent.agent_type, redactor),
        description=_masked(subagent.description, redactor),
        tool_use_id=subagent.tool_use_id,
        message_id=subagent.message_id,
        parent_agent_id=subagent.parent,
        depth=subagent.depth,
        message_count=subagent.message_count,
        tool_usage_count=subagent.tool_call_count,
        usage=costed_usage_json(subagent.totals),
        model=subagent.model,
        started_at=None if started is None else iso(started),
        ended_at=None if ended is None else iso(ended),
        duration_ms=None if started is None or ended is None else ended - started,
    )


def _masked(text: str | None, redactor: Redactor) -> str | None:
    return None if text is None else redactor.mask(text)
