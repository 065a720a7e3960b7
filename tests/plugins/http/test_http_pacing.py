"""Each caller has a quota of its own for reads, for writes, and for what passwords are guessed by."""

from __future__ import annotations

from pathlib import Path

import httpx

from tests.plugins.http.serving import serving

LIMITS = {"window": 600, "max": 5, "writes": 3, "strict": 2}
STRANGER = {"X-Real-IP": "a proxy that is not trusted"}


async def test_the_last_of_a_quota_is_served_and_the_next_refused() -> None:
    async with serving(limits=LIMITS) as server, server.client() as client:
        for left in (4, 3, 2, 1, 0):
            answer = await client.get("/api/projects")
            assert answer.status_code == 200
            assert answer.headers["RateLimit-Policy"] == '"read";q=5;w=600'
            assert answer.headers["RateLimit"].startswith(f'"read";r={left};t=')
            assert "Retry-After" not in answer.headers
        answer = await client.get("/api/conversations")
        assert (answer.status_code, answer.json()["error"]["code"]) == (429, "RATE_LIMIT_EXCEEDED")
        assert answer.headers["RateLimit"].startswith('"read";r=0;t=')
        assert 118 <= int(answer.headers["Retry-After"]) <= 120
        assert answer.headers["X-Request-ID"] == answer.json()["requestId"]


async def test_paces_have_quotas_of_their_own_and_health_has_none() -> None:
    async with serving(limits=LIMITS) as server, server.client() as client:
        assert [(await client.post("/guess")).status_code for _ in range(3)] == [204, 204, 429]
        assert [(await client.delete("/unsaid")).status_code for _ in range(4)] == [204, 204, 204, 429]
        assert [(await client.get("/nowhere")).status_code for _ in range(6)] == [404] * 5 + [429]
        for _ in range(10):
            answer = await client.get("/health")
            assert answer.status_code == 200
            assert "RateLimit" not in answer.headers


async def test_no_pace_is_faster_than_reading() -> None:
    async with serving(limits={"window": 600, "max": 2}) as server, server.client() as client:
        assert (await client.delete("/unsaid")).headers["RateLimit-Policy"] == '"write";q=2;w=600'
        assert (await client.post("/guess")).headers["RateLimit-Policy"] == '"strict";q=2;w=600'


async def test_strangers_use_up_nothing_of_the_owner() -> None:
    async with serving(limits=LIMITS) as server, server.client() as owner, server.client(**STRANGER) as stranger:
        assert [(await stranger.get("/api/projects")).status_code for _ in range(7)] == [401] * 5 + [429] * 2
        assert (await owner.get("/api/projects")).status_code == 200


async def test_pages_of_other_origins_use_up_nothing_of_the_owner() -> None:
    async with serving(limits=LIMITS) as server, server.client() as client:
        for _ in range(10):
            assert (await client.get("/api/projects", headers={"Origin": "http://evil.example"})).status_code == 403
        assert (await client.get("/api/projects")).status_code == 200


async def test_each_address_behind_a_trusted_proxy_counts_for_itself_and_an_ipv6_network_for_one() -> None:
    async def statuses(client: httpx.AsyncClient, *addresses: str) -> list[int]:
        return [(await client.post("/guess", headers={"X-Forwarded-For": each})).status_code for each in addresses]

    async with serving(limits=LIMITS, trusted_proxies=["127.0.0.1"]) as server, server.client() as client:
        assert await statuses(client, "192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.2") == [204, 204, 429, 204]
        same = ["2001:db8:0:1::1", "2001:db8:0:1::2", "2001:db8:0:1:ffff::3"]
        assert await statuses(client, *same, "2001:db8:0:2::1") == [204, 204, 429, 204]


async def test_handshakes_count() -> None:
    async with serving(limits=LIMITS) as server:
        answers = [await server.handshake("/echo", b"Host: localhost\r\n") for _ in range(6)]
        assert [answer[9:12] for answer in answers] == [b"101"] * 5 + [b"429"]


async def test_nobody_counts_on_the_unix_socket(tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    transport = httpx.AsyncHTTPTransport(uds=path)
    async with serving(socket=path, limits=LIMITS), httpx.AsyncClient(transport=transport) as client:
        for _ in range(10):
            assert (await client.get("http://localhost/api/projects")).status_code == 200


async def test_a_window_of_nothing_limits_nothing() -> None:
    async with serving(limits={"window": 0, "max": 1}) as server, server.client() as client:
        for _ in range(3):
            assert "RateLimit" not in (await client.get("/api/projects")).headers
