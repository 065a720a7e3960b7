"""/api/reparse and the deletion of conversations and projects: what changes the storage is an administrator's."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from msgspec import Meta, Struct

from ccod import Observatory
from ccod_http.web import Problem, Routes

Id = Annotated[str, Meta(min_length=1)]
Version = Annotated[str, Meta(pattern=r"^\w+(\.\w+)*\Z", max_length=64)]


class ReparseParameters(Struct):
    conversation: Annotated[Id | None, Meta(description="This conversation alone.")] = None
    since: Annotated[Version | None, Meta(description="Only what a parser of this version or later read.")] = None


class ReparseJson(Struct):
    """How many conversations are parsed anew from now on; `/health` shows how far that is."""

    conversations: int


class ForgottenJson(Struct):
    """The ids of what was forgotten."""

    conversations: list[str]
    projects: list[str]


def keeping_routes(observatory: Observatory) -> Routes:
    routes = Routes("keeping", __name__, url_prefix="/api")
    storage = observatory.storage

    @routes.post("/reparse", access="admin", status=202, errors=[404], tag="storage")
    async def reparse(query: ReparseParameters) -> ReparseJson:
        """Derive what was stored again from the archive."""
        count = await storage.reparse(query.conversation, query.since)
        if query.conversation is not None and not await storage.conversations_by_id([query.conversation]):
            raise Problem(404, "NOT_FOUND", "There is no such conversation.")
        return ReparseJson(count)

    @routes.delete("/conversations/<conversation_id>", access="admin", errors=[404])
    async def forget_conversation(conversation_id: str) -> ForgottenJson:
        """Forget a conversation for ever."""
        stored = await observatory.change(partial(storage.forget_conversation, conversation_id))
        if stored is None:
            raise Problem(404, "NOT_FOUND", "There is no such conversation.")
        return ForgottenJson([conversation_id], [])

    @routes.delete("/projects/<project_id>", access="admin", errors=[404])
    async def forget_project(project_id: str) -> ForgottenJson:
        """Forget a project and its conversations for ever."""
        stored = await observatory.change(partial(storage.forget_project, project_id))
        if stored is None:
            raise Problem(404, "NOT_FOUND", "There is no such project.")
        forgotten = [event.conversation_id for event in stored.events if event.conversation_id]
        return ForgottenJson(forgotten, [project_id])

    return routes
