"""How long requests take, by routes that are there, whatever somebody asks for."""

from __future__ import annotations

import pytest
import trio
from quart import Response, request

from ccod_http.web import Middleware, Problem
from tests.plugins.http.serving import Server, serving
from tests.plugins.metrics.scraping import Scrape, read

COUNT = "ccod_http_request_duration_seconds_count"


async def counted(server: Server, requests: int) -> Scrape:
    """Wait until so many requests have ended: their clients have the answers a little earlier."""
    with trio.fail_after(10):
        while sum((found := read(server.metrics)).all(COUNT)) < requests:
            await trio.sleep(0.01)
    return found


async def test_a_request_counts_to_its_route(server: Server) -> None:
    async with server.client() as client:
        for path in ("/count/a", "/count/b", "/boom", "/nowhere/hunter2?hunter2"):
            await client.get(path)
        await client.request("PROPFIND", "/count/a")
        await client.head("/count/a")
    found = await counted(server, 6)
    assert found.sum(COUNT, method="GET", route="/count/<name>", status="200") == 2
    assert found.sum(COUNT, method="GET", route="/boom", status="500") == 1
    assert found.sum(COUNT, method="GET", route="unmatched", status="404") == 1
    assert found.sum(COUNT, method="other", status="405") == 1
    assert found.sum(COUNT, method="HEAD", route="/count/<name>", status="200") == 1
    assert found.sum(COUNT) == 6


async def test_a_socket_counts_only_where_it_is_refused(server: Server) -> None:
    assert (await server.handshake("/echo", b"Host: localhost\r\n")).startswith(b"HTTP/1.1 101")
    assert (await server.handshake("/echo", b"Host: evil.example\r\n")).startswith(b"HTTP/1.1 421")
    found = await counted(server, 1)
    assert found.sum(COUNT, method="WEBSOCKET", route="/echo", status="421") == 1
    assert found.sum(COUNT) == 1


class Clumsy(Middleware):
    async def before(self) -> Response | None:
        match request.args.get("do"):
            case "break":
                raise RuntimeError
            case "refuse":
                raise Problem(403, "NO", "No.")
        return None

    async def after(self, response: Response) -> Response:
        if request.args.get("do") == "spoil":
            raise RuntimeError
        return response


@pytest.mark.parametrize(("do", "failures"), [("break", 1), ("spoil", 1), ("refuse", 0), ("nothing", 0)])
async def test_a_middleware_that_fails_is_counted(do: str, failures: int) -> None:
    async with serving(middleware=[Clumsy()]) as server, server.client() as client:
        await client.get(f"/count/x?do={do}")
        assert read(server.metrics).sum("ccod_plugin_errors_total", plugin="probe") == failures
