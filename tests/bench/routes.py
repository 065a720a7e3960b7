"""What the bench of the REST API asks for: every list and detail route, and pages deep in a list."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from msgspec import Struct

from tests.bench import long
from tests.bench.keepalive import Answer, Asking, KeepAlive

EMPTY = Asking(["/api/bench/empty"])
SAMPLE = 40
DEEP_LISTS = ("messages", "entries", "tool-calls")
BELOW = ("", "/messages", "/entries", "/tool-calls", "/subagents", "/tree", "/analytics", "/usage", "/attachments")
WHOLE = (
    "/api/projects",
    "/api/conversations",
    "/api/quarantine",
    "/api/record-types",
    "/api/status",
    "/api/storage",
    "/api/streams?source=claude",
    "/api/plugins",
    "/api/usage/daily",
    "/api/usage/weekly",
    "/api/usage/monthly",
    "/api/usage/sessions",
    "/api/usage/blocks",
    "/api/analytics/overview",
    "/api/analytics/overview?timezone=Europe/Berlin&startDate=2025-08-01&endDate=2025-08-30",
    "/health",
)
WORDS = ("error", "the", "config session", '"path with"', "walrus")
"""Common words, two of them, a phrase, and one that is nowhere."""


class Case(Struct, frozen=True):
    """What is asked for, under the name that it is shown by; `first` names the case of which it is another page."""

    name: str
    asking: Asking
    first: str | None = None
    target_ms: float | None = None


async def cases(port: int, pages: int) -> list[Case]:
    """Look up what there is, and return what to ask for."""
    async with KeepAlive(port) as client:
        conversations = await _sample(client)
        found = [Case(path, Asking([path])) for path in WHOLE]
        found += [
            Case(
                f"/api/conversations/:id{below}", Asking([f"/api/conversations/{id_}{below}" for id_ in conversations])
            )
            for below in BELOW
        ]
        projects = [project["id"] for project in await _data(client, "/api/projects?limit=100")]
        found.append(Case("/api/projects/:id", Asking([f"/api/projects/{id_}" for id_ in projects])))
        for path in ("/api/conversations", "/api/usage/sessions"):
            last = await _last_page(client, path)
            found += await _pages(client, path, last, first=path) if last > 1 else []
        for name in DEEP_LISTS:
            path = f"/api/conversations/{long.SESSION}/{name}?limit={long.LIMIT}"
            first = f"long {name}, page 1"
            found += [Case(first, Asking([f"{path}&page=1"])), *await _pages(client, path, pages, first=first)]
        return found + _searches()


def reused() -> list[Case]:
    """Return what is answered again, whole and with 304: something short and something long."""
    found = []
    for below in ("", f"/{long.SESSION}/messages"):
        path, name = f"/api/conversations{below}", f"/api/conversations{below.replace(long.SESSION, ':id')}"
        found += [Case(f"{name}, kept", Asking([path])), Case(f"{name}, 304", Asking([path], shows_tag=True))]
    return found


async def _sample(client: KeepAlive) -> Sequence[str]:
    """Return conversations over all of the history, but not the long one."""
    pagination = _json(await client.get("/api/conversations?limit=1"))["pagination"]
    step = max(1, pagination["total"] // SAMPLE)
    pages = range(1, pagination["total"] + 1, step)
    found = [(await _data(client, f"/api/conversations?limit=1&page={page}"))[0]["id"] for page in pages]
    return [id_ for id_ in found if id_ != long.SESSION]


async def _last_page(client: KeepAlive, path: str) -> int:
    return int(_json(await client.get(path))["pagination"]["pages"])


async def _pages(client: KeepAlive, path: str, page: int, first: str) -> list[Case]:
    """Return the page with this number, and the same by the cursor of the page before it."""
    name, link = first.removesuffix(", page 1"), "&" if "?" in path else "?"
    before = _json(await client.get(f"{path}{link}page={page - 1}"))["pagination"]["nextCursor"]
    by_number, by_cursor = f"{path}{link}page={page}", f"{path}{link}cursor={before}"
    ids = [
        [item.get("id", item.get("conversationId")) for item in await _data(client, way)]
        for way in (by_number, by_cursor)
    ]
    assert ids[0], f"{by_number} is empty"
    assert all(a == b for a, b in pairwise(ids)), f"{by_number} is not what its cursor leads to"
    return [
        Case(f"{name}, page {page:,}", Asking([by_number]), first),
        Case(f"{name}, page {page:,} by cursor", Asking([by_cursor]), first),
    ]


def _searches() -> list[Case]:
    paths = [f"/api/search?q={words.replace(' ', '+').replace(chr(34), '%22')}" for words in WORDS]
    return [
        Case("/api/search, newest first", Asking(paths), target_ms=30),
        Case("/api/search, ranked", Asking([f"{path}&sort=rank" for path in paths]), target_ms=100),
    ]


async def _data(client: KeepAlive, path: str) -> Any:
    return _json(await client.get(path))["data"]


def _json(answer: Answer) -> Any:
    assert answer.status == 200, f"{answer.status} {answer.body[:300]!r}"
    return json.loads(answer.body)
