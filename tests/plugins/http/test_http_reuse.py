"""An answer is given again while nothing was stored, to the same caller, for the same address; and never else."""

from __future__ import annotations

import httpx
import pytest
from quart import Response

from ccod_http.web import Middleware, Problem
from tests.plugins.http.serving import Server, serving


async def count(client: httpx.AsyncClient, tag: str = "", path: str = "/count/a") -> tuple[int, str, str]:
    """Return status, tag, and the number of times that the route was asked; the last is empty for a 304."""
    answer = await client.get(path, headers={"If-None-Match": tag} if tag else {})
    said = answer.json()["data"].split()[1] if answer.content else ""
    return answer.status_code, answer.headers.get("ETag", ""), said


async def test_an_answer_is_given_again_until_something_is_stored(server: Server) -> None:
    server.shelf.revision = 1
    async with server.client() as client:
        status, tag, said = await count(client)
        assert (status, said) == (200, "1")
        assert tag.startswith('W/"')
        assert await count(client) == (200, tag, "1")
        assert await count(client, tag) == (304, tag, "")
        assert await count(client, f'"other", {tag}') == (304, tag, "")
        server.shelf.revision = 2
        status, other, said = await count(client, tag)
        assert (status, said) == (200, "2")
        assert other != tag


async def test_while_something_is_stored_every_answer_is_made(server: Server) -> None:
    server.shelf.revision = 1
    async with server.client() as client:
        _, tag, _ = await count(client)
        server.shelf.revision = None
        assert await count(client, tag) == (200, "", "2")
        assert await count(client) == (200, "", "3")


async def test_an_answer_during_which_something_is_stored_has_no_tag(server: Server) -> None:
    server.shelf.revision = 1
    async with server.client() as client:
        assert await count(client, path="/meanwhile") == (200, "", "1")
        assert await count(client, path="/meanwhile") == (200, "", "2")
        _, tag, said = await count(client, path="/meanwhile")
        assert (said, tag[:3]) == ("3", 'W/"')
        assert await count(client, path="/meanwhile") == (200, tag, "3")


async def test_addresses_and_callers_have_answers_of_their_own() -> None:
    async with serving() as server, server.client() as owner, server.client(**{"X-Real-IP": "x"}) as stranger:
        server.shelf.revision = 1
        tags = {
            (await count(owner))[1],
            (await count(owner, path="/count/b"))[1],
            (await count(owner, path="/count/%61"))[1],
            (await count(stranger))[1],
        }
        assert len(tags) == 4
    async with serving() as server, server.client() as owner:
        server.shelf.revision = 1
        assert (await count(owner))[1] not in tags  # another process


@pytest.mark.parametrize("shown", ["*", "W/", '"', "x" * 1000, ",,,", 'W/""'])
async def test_tags_that_are_none_are_passed_over(server: Server, shown: str) -> None:
    server.shelf.revision = 1
    async with server.client() as client:
        assert (await count(client, shown))[0] == 200


async def test_errors_and_other_routes_have_no_tag(server: Server) -> None:
    server.shelf.revision = 1
    async with server.client() as client:
        for path in ("/api/conversations/nobody", "/api/projects?limit=0", "/health", "/api/usage/blocks", "/parts"):
            assert "ETag" not in (await client.get(path)).headers, path


async def test_what_reveals_is_made_each_time(server: Server) -> None:
    server.shelf.revision = 1
    async with server.client() as client:
        for _ in range(2):
            answer = await client.get("/api/conversations/nobody/messages?reveal=true")
            assert (answer.status_code, answer.headers.get("ETag")) != (200, "")
            assert "ETag" not in answer.headers


class Door(Middleware):
    """Lets nobody in while it is closed, and says something more of its own."""

    closed = False

    async def before(self) -> Response | None:
        if self.closed:
            raise Problem(403, "CLOSED", "The door is closed.")
        return None

    async def after(self, response: Response) -> Response:
        response.set_data(await response.get_data(as_text=False) + b" ")
        return response


async def test_middleware_stands_before_and_behind_what_is_given_again() -> None:
    door = Door()
    async with serving(middleware=[door]) as server, server.client() as client:
        server.shelf.revision = 1
        first = await client.get("/count/a")
        assert first.content.endswith(b"} ")
        assert (await client.get("/count/a")).content == first.content
        door.closed = True
        for headers in ({}, {"If-None-Match": first.headers["ETag"]}):
            assert (await client.get("/count/a", headers=headers)).status_code == 403


async def test_a_304_bears_what_it_must_and_no_body(server: Server) -> None:
    server.shelf.revision = 1
    async with server.client() as client:
        _, tag, _ = await count(client)
        answer = await client.get("/count/a", headers={"If-None-Match": tag})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["Cache-Control"] == "private, no-cache"
        assert {"Authorization", "Origin"} <= {each.strip() for each in answer.headers["Vary"].split(",")}
        assert "Content-Length" not in answer.headers
        assert (await client.head("/count/a", headers={"If-None-Match": tag})).status_code == 304
