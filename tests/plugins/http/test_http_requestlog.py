"""One line for each request: enough to count and time, nothing of what was asked."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog
import trio

from ccod import log
from ccod.settings import CoreSettings
from tests.plugins.http.serving import serving

HOSTILE = "a%0d%0aforged%1b[31m%e2%80%a8%e2%80%aeb"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    log.set_up(CoreSettings(), stream)
    structlog.configure(cache_logger_on_first_use=False)
    yield stream
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


def requests(stream: io.StringIO) -> list[dict[str, object]]:
    """Return the lines of requests; every line there is must be one JSON object."""
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    return [line for line in lines if line["event"] == "request"]


async def test_a_request_is_one_line_without_path_or_query(stream: io.StringIO) -> None:
    async with serving() as server, server.client() as client:
        answer = await client.get(
            "/api/conversations/hunter2/messages?limit=1&role=user", headers={"X-Request-ID": "r1"}
        )
        assert answer.status_code == 404
        await client.get("/hunter2?token=hunter2")
        await client.head("/health")
    first, second, third = requests(stream)
    assert {name: first[name] for name in ("method", "route", "status", "request", "logger", "level")} == {
        "method": "GET",
        "route": "/api/conversations/<conversation_id>/messages",
        "status": 404,
        "request": "r1",
        "logger": "ccod.http.request",
        "level": "info",
    }
    assert isinstance(first["ms"], float)
    assert (second["route"], second["status"]) == ("", 404)
    assert (third["method"], third["route"], third["status"]) == ("HEAD", "/health", 200)
    assert "hunter2" not in stream.getvalue()


async def test_whatever_a_client_sends_no_line_is_forged(stream: io.StringIO) -> None:
    async with serving() as server:
        for target in (HOSTILE, f"health?{HOSTILE}", "health"):
            await server.say(
                f"GET /{target} HTTP/1.1\r\nHost: localhost:{server.port}\r\nUser-Agent: ".encode()
                + "x\x1b[31m\u2028\u202e\xff".encode()
                + b"\r\nX-Request-ID: a\x1b[31m\xe2\x80\xa8b\r\nOrigin: \xe2\x80\xae\r\nConnection: close\r\n\r\n"
            )
        await server.say(b"GET /\r\nforged\r\n\r\n")
        await server.say(f"{'X' * 500} /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    lines = stream.getvalue().splitlines()
    assert len(requests(stream)) >= 1
    assert all(line.isascii() and line.isprintable() for line in lines)
    assert not any(json.loads(line)["event"].startswith("forged") for line in lines)
    assert all(len(str(request["method"])) <= 20 for request in requests(stream))


async def test_what_is_no_http_is_a_line_too_with_the_id_that_the_client_was_told(stream: io.StringIO) -> None:
    async with serving() as server:
        answer = await server.say(b"GET /\r\nforged\r\n\r\n")
    (line,) = requests(stream)
    assert (line["method"], line["route"], line["status"]) == ("", "", 400)
    assert f"x-request-id: {line['request']}".encode() in answer


async def test_a_websocket_is_a_line_when_it_ends_even_if_its_client_just_goes(stream: io.StringIO) -> None:
    async with serving() as server:
        assert b" 101 " in await server.handshake("/echo", f"Host: localhost:{server.port}\r\n".encode())
        assert b" 421 " in await server.handshake("/echo", b"Host: evil.example\r\n")
        with trio.fail_after(10):
            while len(requests(stream)) < 2:
                await trio.sleep(0.01)
    told = {(line["method"], line["route"], line["status"]) for line in requests(stream)}
    assert told == {("WEBSOCKET", "/echo", 101), ("WEBSOCKET", "/echo", 421)}
