"""/api/conversations/:id/entries: every record of a transcript, as it stands there."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any

import trio
from msgspec import Meta, Struct

from ccod import EntryQuery, Observatory, Redactor, StoredEntry
from ccod_http.web import Listing, Paged, Routes, iso
from ccod_rest.finding import find_conversation

Text = Annotated[str, Meta(min_length=1)]
MOST_DIGITS = 4000
"""Integers with more are read as JavaScript does: Python takes no more than 4,300, and takes long over them."""


class EntryParameters(Listing):
    limit: Annotated[int, Meta(ge=1, le=200)] = 50
    agent: Text | None = None
    type: Text | None = None
    subtype: Text | None = None


class EntryJson(Struct, frozen=True, rename="camel"):
    """`record` is the whole of it with secrets masked; null where it is nested too deeply to be shown."""

    id: str
    parent_id: str | None
    type: str
    subtype: str
    role: str | None
    timestamp: str
    agent_id: str | None
    is_sidechain: bool
    is_meta: bool
    record: Any


def entry_routes(observatory: Observatory) -> Routes:
    routes = Routes("entries", __name__, url_prefix="/api/conversations")
    storage, redactor = observatory.storage, observatory.redactor

    @routes.get("/<conversation_id>/entries", access="read", stored=True, errors=[404])
    async def entries(conversation_id: str, query: EntryParameters) -> Paged[list[EntryJson]]:
        """List the records of a conversation, messages and all others, in the order of storing."""
        await find_conversation(storage, conversation_id)
        asked = EntryQuery(query.agent, query.type, query.subtype, query.offset, query.limit, query.after)
        page = await storage.entries(conversation_id, asked)
        shown = await trio.to_thread.run_sync(partial(_shown, page.items, redactor))
        return query.listed(shown, page.total, page.next)

    return routes


def _shown(entries: Sequence[StoredEntry], redactor: Redactor) -> list[EntryJson]:
    """Parse the bodies, which can be megabytes: run it in a thread, where it holds up nobody."""
    return [_entry_json(entry, redactor) for entry in entries]


def _entry_json(entry: StoredEntry, redactor: Redactor) -> EntryJson:
    return EntryJson(
        id=entry.id,
        parent_id=entry.parent,
        type=entry.type,
        subtype=entry.subtype,
        role=entry.role,
        timestamp=iso(entry.at),
        agent_id=entry.agent,
        is_sidechain=entry.sidechain,
        is_meta=entry.meta,
        record=_record(entry.body, redactor),
    )


def _record(body: bytes, redactor: Redactor) -> Any:
    try:
        return redactor.mask_all(json.loads(body.decode(errors="replace"), parse_int=_integer))
    except (ValueError, RecursionError):
        return None


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= MOST_DIGITS else float(digits)
