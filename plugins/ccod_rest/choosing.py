"""What of a conversation is exported."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from ccod import Conversation, Storage, Subagent
from ccod_http.web import Problem


class Chosen(Struct, frozen=True):
    """A conversation with all its subagents, or, if it is not the `whole`, one of these alone."""

    conversation: Conversation
    subagents: Sequence[Subagent]
    whole: bool


async def choose(storage: Storage, conversation: Conversation, agent: str | None) -> Chosen:
    """Return what is asked for."""
    subagents = await storage.subagents(conversation.id)
    if agent is None:
        return Chosen(conversation, subagents, whole=True)
    one = [each for each in subagents if each.id == agent]
    if not one:
        raise Problem(404, "NOT_FOUND", "That conversation has no such subagent.")
    return Chosen(conversation, one, whole=False)
