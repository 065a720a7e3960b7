"""Every kind of answer bears the headers of safety, also where no application makes it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest

from ccod_http.page import POLICY
from ccod_http.safety import HEADERS
from tests.plugins.http.serving import Server, serving
from tests.plugins.http.test_http_tls import Files

CLOSE = b"Connection: close\r\n\r\n"
BY_THE_APPLICATION = {
    "/health": 200,
    "/api/projects": 200,
    "/openapi.json": 200,
    "/parts": 200,
    "/nowhere": 404,
    "/boom": 500,
}
BELOW_IT = {
    b"GET / HTTP/2.0\r\nHost: localhost\r\n" + CLOSE: 505,
    b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\nHost: localhost\r\n" + CLOSE: 414,
    b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 17_000 + b"\r\n" + CLOSE: 431,
    b"nonsense\r\n\r\n": 400,
    b"GET /echo HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n": 400,
}


def missing(headers: Mapping[str, str], **own: str) -> list[str]:
    """Return which headers are not as they should be; `own` are those that such an answer has of its own."""
    wanted = HEADERS | {name.replace("_", "-"): value for name, value in own.items()}
    return [f"{name}: {headers.get(name)}" for name, value in wanted.items() if headers.get(name) != value]


def headers_of(answer: bytes) -> httpx.Headers:
    head, _, _ = answer.partition(b"\r\n\r\n")
    lines = (line.partition(b":") for line in head.split(b"\r\n")[1:])
    return httpx.Headers([(name, value.strip()) for name, _, value in lines])


async def test_answers_of_the_application(server: Server) -> None:
    async with server.client() as client:
        for path, status in BY_THE_APPLICATION.items():
            answer = await client.get(path)
            assert answer.status_code == status, path
            assert missing(answer.headers) == [], path
            assert "Server" not in answer.headers
        assert missing((await client.get("/docs")).headers, Content_Security_Policy=POLICY) == []
        assert missing((await client.get("/token")).headers, Cache_Control="no-store") == []
        assert missing((await client.options("/health")).headers) == []
        for refused in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Authorization": "Bearer x"}):
            answer = await client.get("/api/projects", headers=refused)
            assert answer.status_code in {401, 403, 421}
            assert missing(answer.headers) == [], refused


async def test_what_has_not_changed(server: Server) -> None:
    server.shelf.revision = 1
    async with server.client() as client:
        tag = (await client.get("/count/x")).headers["ETag"]
        answer = await client.get("/count/x", headers={"If-None-Match": tag})
    assert answer.status_code == 304
    assert missing(answer.headers) == []


@pytest.mark.parametrize(("said", "status"), BELOW_IT.items(), ids=map(str, BELOW_IT.values()))
async def test_refusals_below_the_application(server: Server, said: bytes, status: int) -> None:
    answer = await server.say(said)
    assert answer.startswith(b"HTTP/1.1 %d" % status)
    assert missing(headers_of(answer)) == []


async def test_who_is_one_too_many() -> None:
    async with serving(limits={"connections": 1}) as server, await server.connect():
        answer = await server.say(b"GET / HTTP/1.1\r\nHost: localhost\r\n" + CLOSE)
    assert answer.startswith(b"HTTP/1.1 503")
    assert missing(headers_of(answer)) == []


async def test_a_handshake_that_is_refused(server: Server) -> None:
    answer = await server.handshake("/guarded", b"Host: localhost\r\nAuthorization: Bearer x\r\n")
    assert answer.startswith(b"HTTP/1.1 401")
    assert missing(headers_of(answer)) == []


async def test_who_is_sent_on_to_https(tmp_path: Path) -> None:
    async with serving(**Files(tmp_path).settings) as server, server.client() as plain:
        answer = await plain.get("/health")
    assert answer.status_code == 308
    assert missing(answer.headers) == []
