"""Host and Origin are checked on every route and on WebSocket handshakes, before anybody asks who is there."""

from __future__ import annotations

import pytest

from ccod import ConfigError
from ccod_http.gate import Gate
from ccod_http.settings import HttpSettings
from tests.plugins.http.serving import Server, serving

ALLOWED = "http://localhost:5173"
ROUTES = ["/health", "/health/ready", "/api/projects", "/nowhere"]


OWN = ("localhost", "LocalHost:PORT", "127.0.0.1", "127.0.0.1:PORT", "[::1]", "[::1]:PORT", "my.box", "MY.box:1")
FOREIGN = (
    "",
    "evil.example",
    "evil.example:PORT",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "localhost.",
    "localhost:1",
    "localhost:",
    "127.1",
    "2130706433",
    "0.0.0.0",
    "0.0.0.0:PORT",
    "[::]",
    "[::ffff:127.0.0.1]",
    "user@localhost",
    "localhost evil.example",
    "other.box",
    "other.box:80",
    "x" * 10_000,
)


async def test_own_names_are_answered() -> None:
    async with serving(allowed_hosts=["my.box", "other.box:8080"]) as server, server.client() as client:
        for host in OWN:
            response = await client.get("/health", headers={"Host": host.replace("PORT", str(server.port))})
            assert response.status_code == 200, host


async def test_foreign_names_are_misdirected_on_every_route() -> None:
    async with serving(allowed_hosts=["other.box:8080"]) as server, server.client() as client:
        for host in FOREIGN:
            for route in ROUTES:
                response = await client.get(route, headers={"Host": host.replace("PORT", str(server.port))})
                code = response.json()["error"]["code"]
                assert (response.status_code, code) == (421, "HOST_NOT_ALLOWED"), (host, route)


async def test_a_name_counts_and_not_the_authority_of_the_target(server: Server) -> None:
    answer = await server.say(
        b"GET http://localhost/health HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"
    )
    assert answer.startswith(b"HTTP/1.1 421")


CROSSING = (
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": "http://localhost.evil.example"},
    {"Origin": "http://localhost:5174"},
    {"Origin": "https://localhost:5173"},
    {"Origin": "http://evil.example", "Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "cross-site"},
)


async def test_pages_of_other_origins_are_refused_on_every_route(server: Server) -> None:
    async with server.client() as client:
        for headers in CROSSING:
            for route in ROUTES:
                response = await client.get(route, headers=headers)
                code = response.json()["error"]["code"]
                assert (response.status_code, code) == (403, "ORIGIN_NOT_ALLOWED"), (headers, route)
                assert "Access-Control-Allow-Origin" not in response.headers


async def test_two_origins_are_refused(server: Server) -> None:
    origin = f"Origin: {ALLOWED}\r\n".encode()
    answer = await server.say(
        b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + 2 * origin + b"\r\n"
    )
    assert answer.startswith(b"HTTP/1.1 403")


async def test_own_pages_and_programs_are_served(server: Server) -> None:
    async with server.client() as client:
        own = f"http://127.0.0.1:{server.port}"
        for headers in (
            {},
            {"Origin": own},
            {"Sec-Fetch-Site": "none"},
            {"Origin": own, "Sec-Fetch-Site": "same-origin"},
        ):
            assert (await client.get("/api/projects", headers=headers)).status_code == 200


async def test_an_allowed_origin_may_read_health_but_is_a_stranger_without_a_token(server: Server) -> None:
    async with server.client(**{"Origin": ALLOWED, "Sec-Fetch-Site": "cross-site"}) as client:
        response = await client.get("/health")
        assert response.status_code == 200
        assert response.headers["Access-Control-Allow-Origin"] == ALLOWED
        assert "Origin" in response.headers["Vary"]
        response = await client.get("/api/projects")
        assert response.status_code == 401
        assert response.headers["Access-Control-Allow-Origin"] == ALLOWED


async def test_a_preflight_is_answered_for_allowed_origins_only(server: Server) -> None:
    async with server.client(**{"Access-Control-Request-Method": "GET"}) as client:
        response = await client.options("/api/projects", headers={"Origin": ALLOWED})
        assert (response.status_code, response.content) == (204, b"")
        assert "Authorization" in response.headers["Access-Control-Allow-Headers"]
        response = await client.options("/api/projects", headers={"Origin": "http://evil.example"})
        assert response.status_code == 403


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (b"Host: evil.example\r\n", 421),
        (b"Host: localhost\r\nOrigin: http://evil.example\r\n", 403),
        (b"Host: localhost\r\nSec-Fetch-Site: cross-site\r\n", 403),
        (b"Host: localhost\r\nOrigin: http://localhost\r\n", 101),
        (b"Host: localhost\r\n", 101),
    ],
)
async def test_handshakes_pass_the_same_gate(server: Server, headers: bytes, status: int) -> None:
    answer = await server.handshake("/echo", headers)
    assert answer.startswith(b"HTTP/1.1 %d" % status)
    if status != 101:
        assert b"application/problem+json" in answer
        assert b"x-request-id" in answer.lower()


@pytest.mark.parametrize("origin", ["*", "localhost:5173", "http://a/b", "http://*.example", ""])
def test_a_setting_that_is_no_origin_is_refused(origin: str) -> None:
    with pytest.raises(ConfigError, match=r"^\[http\] cors_origins: .*write it as"):
        Gate(HttpSettings(cors_origins=[origin]))
