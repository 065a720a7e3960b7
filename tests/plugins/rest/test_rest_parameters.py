"""Parameters choose what is listed; a wrong one is named and never guessed at."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.plugins.http.serving import Server
from tests.plugins.rest.test_rest_shapes import ASSISTANT, CONVERSATION, NEW_YEAR, PROJECT

DAY = 86_400_000


def fill(server: Server) -> None:
    change = msgspec.structs.replace
    server.shelf.all_projects = [
        change(PROJECT, id=f"p{n}", name=f"n{9 - n}", updated_at=NEW_YEAR + n) for n in range(5)
    ]
    server.shelf.all_conversations = [
        change(CONVERSATION, id="old", project_id="p1", state="completed"),
        change(CONVERSATION, id="new", created_at=NEW_YEAR + 9 * DAY, updated_at=NEW_YEAR + 10 * DAY),
    ]
    server.shelf.all_messages = [
        change(ASSISTANT, id=f"m{n}", conversation_id="old", at=n, role="user" if n % 2 else "assistant")
        for n in range(60)
    ] + [change(ASSISTANT, id="a", conversation_id="old", agent="helper")]


@pytest.mark.parametrize(
    ("path", "ids"),
    [
        ("/api/projects", ["p4", "p3", "p2", "p1", "p0"]),
        ("/api/projects?sort=name&order=asc", ["p4", "p3", "p2", "p1", "p0"]),
        ("/api/projects?order=asc&limit=2&page=2", ["p2", "p3"]),
        ("/api/projects?page=9", []),
        ("/api/conversations", ["new", "old"]),
        ("/api/conversations?status=completed", ["old"]),
        ("/api/conversations?state=completed", ["old"]),
        ("/api/conversations?state=waiting", ["new"]),
        ("/api/conversations?status=active", ["new"]),
        ("/api/conversations?state=error", []),
        ("/api/conversations?projectId=p1", ["old"]),
        ("/api/conversations?projectId=none", []),
        ("/api/conversations?startDate=2023-01-02", ["new"]),
        ("/api/conversations?endDate=2023-01-01", ["old"]),
        ("/api/conversations?endDate=2023-01-10", ["new", "old"]),
        (f"/api/conversations?startDate={NEW_YEAR + 10 * DAY}", ["new"]),
        (f"/api/conversations?startDate={NEW_YEAR + 10 * DAY + 1}", []),
        ("/api/conversations?endDate=2022-12-31T23:59:59.999Z", []),
        ("/api/conversations?startDate=2023-01-01&endDate=2023-01-01", ["old"]),
        ("/api/conversations/old/messages", [f"m{n}" for n in range(50)]),
        ("/api/conversations/old/messages?page=2", [f"m{n}" for n in range(50, 60)]),
        ("/api/conversations/old/messages?limit=2&order=desc", ["m59", "m58"]),
        ("/api/conversations/old/messages?limit=2&role=user", ["m1", "m3"]),
        ("/api/conversations/old/messages?agent=helper", ["a"]),
        ("/api/conversations/new/messages", []),
    ],
)
async def test_lists(server: Server, path: str, ids: list[str]) -> None:
    fill(server)
    async with server.client() as client:
        response = await client.get(path)
    assert [item["id"] for item in response.json()["data"]] == ids


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("limit=2", (1, 2, 5, 3, True, False)),
        ("limit=2&page=2", (2, 2, 5, 3, True, True)),
        ("limit=2&page=3", (3, 2, 5, 3, False, True)),
        ("limit=100&page=7", (7, 100, 5, 1, False, True)),
    ],
)
async def test_pagination_counts_pages(server: Server, query: str, expected: tuple[Any, ...]) -> None:
    fill(server)
    async with server.client() as client:
        pagination = (await client.get(f"/api/projects?{query}")).json()["pagination"]
    assert tuple(pagination.values())[:6] == expected
    assert (pagination["nextCursor"] is not None) == pagination["hasNext"]


async def test_an_empty_list_has_no_page(server: Server) -> None:
    async with server.client() as client:
        pagination = (await client.get("/api/projects")).json()["pagination"]
    assert (pagination["total"], pagination["pages"], pagination["hasNext"]) == (0, 0, False)


WRONG = {
    "/api/projects": [
        *(("page", value) for value in ("0", "-1", "1.5", "", "NaN", "%D9%A1", "2000000000", "9" * 30, "1%00")),
        *(("limit", value) for value in ("0", "101", "true")),
        ("sort", "id"),
        ("sort", "name;drop"),
        ("sort", "%ff"),
        ("order", "DESC"),
        ("limit[]", "1"),
        ("serach", "x"),
        ("%ed%a0%80", "x"),
    ],
    "/api/conversations": [
        ("status", "archived"),
        ("status", ""),
        ("projectId", ""),
        ("startDate", "soon"),
        ("startDate", ""),
        ("startDate", "9" * 400),
        ("endDate", "2023-02-30"),
        ("sort", "model"),
        ("hasErrors", "maybe"),
        ("cursor", ""),
        ("cursor", "AAAA"),
        ("cursor", "%C3%A4"),
    ],
    "/api/conversations/old/messages": [("limit", "201"), ("role", "system"), ("agent", ""), ("order", "up")],
    "/api/conversations/old": [("page", "1")],
    "/api/projects/p1": [("page", "1")],
}


async def test_a_wrong_parameter_is_400_and_named(server: Server) -> None:
    fill(server)
    async with server.client() as client:
        for path, wrong in WRONG.items():
            for name, value in wrong:
                problem = (await client.get(f"{path}?{name}={value}")).json()
                assert (problem["status"], problem["error"]["code"]) == (400, "VALIDATION_FAILED"), (path, name, value)
                if name.isalpha():
                    assert problem["error"]["details"][0]["parameter"] == name


@pytest.mark.parametrize(
    ("query", "hint"),
    [
        ("stauts=active", "did you mean 'status'?"),
        ("project_id=1", "did you mean 'projectId'?"),
        ("page=1&page=2", "more than once"),
        ("startDate=2023-01-02&endDate=2023-01-01", "after 'endDate'"),
        ("zzz=1", "known are: page, limit, cursor, sort, order"),
    ],
)
async def test_a_mistake_is_explained(server: Server, query: str, hint: str) -> None:
    async with server.client() as client:
        problem = (await client.get(f"/api/conversations?{query}")).json()
    assert problem["status"] == 400
    assert hint in problem["detail"]


@pytest.mark.parametrize(
    "path", ["/api/projects/none", "/api/conversations/none", "/api/conversations/none/messages", "/api/projects/p1%00"]
)
async def test_an_unknown_id_is_404(server: Server, path: str) -> None:
    fill(server)
    async with server.client() as client:
        problem = (await client.get(path)).json()
    assert (problem["status"], problem["error"]["code"]) == (404, "NOT_FOUND")


async def test_a_parameter_that_is_missing_is_named(server: Server) -> None:
    async with server.client() as client:
        answer = (await client.get("/api/streams")).json()
    assert answer["error"]["code"] == "VALIDATION_FAILED"
    assert answer["error"]["message"] == "Parameter 'source' is missing."
