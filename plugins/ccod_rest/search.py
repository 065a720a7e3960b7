"""/api/search"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Literal

import msgspec
import trio
from msgspec import Meta, Struct

from ccod import Found, Observatory, SearchQuery
from ccod_http.web import Moment, Problem, Routes, iso, query_time
from ccod_rest.searching import FILTERS, SearchError, take_apart
from ccod_rest.snippets import Snippet, snippet

Word = Annotated[str, Meta(min_length=1, max_length=256)]


Cursor = Annotated[int, Meta(ge=-(2**62), le=2**62)]


class Filters(Struct):
    """What narrows a search, as parameters or within `q`."""

    project: Annotated[Word | None, Meta(description="Id or name of a project.")] = None
    tool: Annotated[Word | None, Meta(description="Name of a tool that is called or answers.")] = None
    role: Annotated[Literal["user", "assistant"] | None, Meta(description="Who said it.")] = None
    model: Annotated[Word | None, Meta(description="A part of a model's name.")] = None
    error: Annotated[bool | None, Meta(description="`true` for failures, `false` for what is none.")] = None
    since: Annotated[Moment | None, Meta(description="Only what was said then or later.")] = None
    until: Annotated[Moment | None, Meta(description="Only what was said by then; a date is all of its day.")] = None


class SearchParameters(Filters, kw_only=True):
    q: Annotated[str, Meta(description='Words, `"phrases"` and filters such as `tool:Bash`.', max_length=256)]
    sort: Annotated[
        Literal["newest", "rank"], Meta(description="`rank`: the best of the 2,000 newest matches first.")
    ] = "newest"
    limit: Annotated[int, Meta(ge=1, le=100, description="How many hits.")] = 20
    cursor: Annotated[Cursor | None, Meta(description="`nextCursor` of the last answer.")] = None


class HitJson(Struct, frozen=True, rename="camel"):
    conversation_id: str
    title: str
    project_id: str | None
    project_name: str
    message_id: str
    agent_id: str | None
    role: str
    timestamp: str
    tool: str | None
    snippet: Snippet


class SearchJson(Struct, frozen=True, rename="camel"):
    """Hits, the cursor of those that follow, and how much of what is stored could be found, from 0 to 1."""

    hits: Sequence[HitJson]
    next_cursor: str | None
    indexed: float


def search_routes(observatory: Observatory) -> Routes:
    routes = Routes("search", __name__, url_prefix="/api/search")

    @routes.get("", access="read", stored=True)
    async def search(query: SearchParameters) -> SearchJson:
        """Find messages that hold every word of `q`."""
        wanted = _wanted(query)
        found = await observatory.storage.search(wanted)
        return await trio.to_thread.run_sync(partial(_shown, observatory, wanted, found))

    return routes


def _wanted(parameters: SearchParameters) -> SearchQuery:
    try:
        typed = take_apart(parameters.q)
    except SearchError as error:
        raise _wrong("q", str(error)) from None
    try:
        within = msgspec.convert(typed.filters, Filters, strict=False)
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at `$.")
        raise _wrong("q", f"is wrong at {path.rstrip('`')}: {reason}") from None
    given = {name: getattr(parameters, name) for name in FILTERS if getattr(parameters, name) is not None}
    filters = msgspec.structs.replace(within, **given)
    return SearchQuery(
        terms=typed.terms,
        project=filters.project,
        tool=filters.tool,
        role=filters.role,
        model=filters.model,
        error=filters.error,
        since=query_time("since", filters.since),
        until=query_time("until", filters.until, end=True),
        ranked=parameters.sort == "rank",
        before=parameters.cursor,
        limit=parameters.limit,
    )


def _wrong(name: str, problem: str) -> Problem:
    details = [{"parameter": name, "problem": problem}]
    return Problem(400, "VALIDATION_FAILED", f"Parameter {name!r} {problem}.", details)


def _shown(observatory: Observatory, query: SearchQuery, found: Found) -> SearchJson:
    """Read the texts again, which can be megabytes: run it in a thread."""
    mask = observatory.redactor.mask
    hits = []
    for hit in found.hits:
        message = hit.message
        words = observatory.content(message).words()
        if words:
            hits.append(
                HitJson(
                    conversation_id=message.conversation_id,
                    title=mask(hit.title),
                    project_id=hit.project_id,
                    project_name=hit.project_name,
                    message_id=message.id,
                    agent_id=message.agent,
                    role=message.role,
                    timestamp=iso(message.at),
                    tool=hit.tool,
                    snippet=snippet(words, query.terms),
                )
            )
    return SearchJson(hits, None if found.before is None else str(found.before), found.indexed)
