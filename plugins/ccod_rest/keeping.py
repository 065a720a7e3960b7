"""/api/reparse and the deletion of conversations and projects: what changes the storage is an administrator's."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from msgspec import Meta, Struct
from quart import Blueprint, Response

from ccod import Observatory
from ccod_http.web import NoParameters, Problem, ok, query, require_admin

Version = Annotated[str, Meta(pattern=r"^\w+(\.\w+)*\Z", max_length=64)]


class ReparseParameters(Struct):
    conversation: Annotated[str, Meta(min_length=1)] | None = None
    since: Version | None = None


class ReparseJson(Struct):
    """How many conversations are parsed anew from now on; `/health` shows how far that is."""

    conversations: int


class ForgottenJson(Struct):
    """The ids of what was forgotten."""

    conversations: list[str]
    projects: list[str]


def keeping_routes(observatory: Observatory) -> Blueprint:
    routes = Blueprint("keeping", __name__, url_prefix="/api")
    routes.before_request(require_admin)
    storage = observatory.storage

    @routes.post("/reparse")
    async def reparse() -> Response:
        wanted = query(ReparseParameters)
        count = await storage.reparse(wanted.conversation, wanted.since)
        if wanted.conversation is not None and not await storage.conversations_by_id([wanted.conversation]):
            raise Problem(404, "NOT_FOUND", "There is no such conversation.")
        return ok(ReparseJson(count), status=202)

    @routes.delete("/conversations/<conversation_id>")
    async def forget_conversation(conversation_id: str) -> Response:
        query(NoParameters)
        stored = await observatory.change(partial(storage.forget_conversation, conversation_id))
        if stored is None:
            raise Problem(404, "NOT_FOUND", "There is no such conversation.")
        return ok(ForgottenJson([conversation_id], []))

    @routes.delete("/projects/<project_id>")
    async def forget_project(project_id: str) -> Response:
        query(NoParameters)
        stored = await observatory.change(partial(storage.forget_project, project_id))
        if stored is None:
            raise Problem(404, "NOT_FOUND", "There is no such project.")
        forgotten = [event.conversation_id for event in stored.events if event.conversation_id]
        return ok(ForgottenJson(forgotten, [project_id]))

    return routes
