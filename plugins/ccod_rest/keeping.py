"""What changes the storage is an administrator's: deriving again, vacuum, and the deletion of what is stored."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import trio
from msgspec import Meta, Struct

from ccod import Observatory, Vacuumed
from ccod_http.web import Problem, Routes

VACUUM_SECONDS = 1.0

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


class VacuumedJson(Struct, rename="camel"):
    """Bytes that hold nothing, whether there is more to do, and whether that can be done while the daemon runs."""

    unused: int
    more: bool
    in_steps: bool


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

    @routes.post("/storage/vacuum", access="admin", tag="storage")
    async def vacuum() -> VacuumedJson:
        """Give unused space back to the file system for a second; ask again while there is `more` to do.

        It is done in small steps, between which what comes in is stored.
        """
        done: Vacuumed | None = None

        async def step() -> None:
            nonlocal done
            done = await storage.vacuum()

        until = trio.current_time() + VACUUM_SECONDS
        while done is None or (done.more and trio.current_time() < until):
            await observatory.change(step)
        return VacuumedJson(done.unused, done.more, done.in_steps)

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
        gone = (event for event in stored.events if event.kind == "conversation_forgotten")
        forgotten = [
            event.conversation_id for event in gone if event.project_id == project_id and event.conversation_id
        ]
        return ForgottenJson(forgotten, [project_id])

    return routes
