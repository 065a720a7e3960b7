"""Finds what a path names, or says that there is none."""

from __future__ import annotations

from ccod import Conversation, Storage
from ccod_http.web import Problem


async def find_conversation(storage: Storage, conversation_id: str) -> Conversation:
    found = await storage.conversations_by_id([conversation_id])
    if not found:
        raise Problem(404, "NOT_FOUND", "There is no such conversation.")
    return found[0]
