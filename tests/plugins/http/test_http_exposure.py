"""Beyond loopback nothing is served but with login and HTTPS, or by who says that HTTPS is elsewhere."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

import pytest
from quart import Quart, g

from ccod import ConfigError
from ccod_http.callers import Callers, client_network
from ccod_http.settings import HttpSettings
from tests.plugins.http.serving import Server, read_all, serving

TLS = {"certfile": "c.pem", "keyfile": "k.pem"}
BEYOND = ["0.0.0.0", "::", "192.168.1.2", "2001:db8::1"]


@pytest.mark.parametrize("host", BEYOND)
@pytest.mark.parametrize(
    ("settings", "missing"),
    [
        ({}, "access"),
        (TLS, "access"),
        ({"insecure": True}, "access"),
        ({"access": "loopback"} | TLS, "access"),
        ({"access": "login"}, "certfile"),
    ],
)
def test_serving_beyond_loopback_is_refused_with_the_remedy(host: str, settings: dict[str, Any], missing: str) -> None:
    with pytest.raises(ConfigError, match=rf"^\[http\] host: .* is beyond loopback.*set \[http\] {missing}"):
        HttpSettings(host=host, **settings)


@pytest.mark.parametrize("host", BEYOND)
@pytest.mark.parametrize("settings", [TLS, {"insecure": True}])
def test_serving_beyond_loopback_is_allowed_with_login_and_tls(host: str, settings: dict[str, Any]) -> None:
    assert HttpSettings(host=host, access="login", **settings).host == host


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.3.2.1", "::1"])
def test_loopback_needs_nothing(host: str) -> None:
    assert HttpSettings(host=host).host == host


async def test_login_closes_reading_over_tcp_for_all_without_a_token() -> None:
    async with serving(access="login") as server, server.client() as client:
        for path in ("/api/projects", "/api/conversations", "/api/storage"):
            assert (await client.get(path)).status_code == 401, path
        health = (await client.get("/health")).json()
        assert "details" not in health["data"]
        assert (await server.handshake("/guarded", b"Host: localhost\r\n")).startswith(b"HTTP/1.1 401")


async def test_the_address_that_was_called_is_a_host_of_ours() -> None:
    async with serving(host="127.0.0.2") as server:

        async def status(host: bytes) -> bytes:
            async with await server.connect("127.0.0.2") as stream:
                await stream.send_all(b"GET /health HTTP/1.1\r\nConnection: close\r\nHost: %s\r\n\r\n" % host)
                return (await read_all(stream))[9:12]

        assert await status(b"127.0.0.2:%d" % server.port) == b"200"
        assert await status(b"127.0.0.2") == b"200"
        assert await status(b"127.0.0.3") == b"421"
        assert await status(b"0.0.0.0") == b"421"


FORWARDED = [
    ({"X-Forwarded-For": "203.0.113.9"}, "203.0.113.9"),
    ({"X-Forwarded-For": "198.51.100.1, 203.0.113.9"}, "203.0.113.9"),
    ({"X-Forwarded-For": "203.0.113.9, 10.0.0.7, 10.0.0.8"}, "203.0.113.9"),
    ({"X-Forwarded-For": "203.0.113.9, nonsense, 10.0.0.8"}, "10.0.0.8"),
    ({"X-Forwarded-For": "2001:db8::1"}, "2001:db8::1"),
    ({"X-Forwarded-For": "::ffff:203.0.113.9"}, "203.0.113.9"),
    ({"X-Forwarded-For": ""}, "127.0.0.1"),
    ({"X-Forwarded-For": "unknown"}, "127.0.0.1"),
    ({"Forwarded": "for=203.0.113.9"}, "127.0.0.1"),
    ({}, "127.0.0.1"),
]


@pytest.mark.parametrize(("headers", "address"), FORWARDED)
async def test_a_trusted_proxy_is_believed(headers: dict[str, str], address: str) -> None:
    async with serving(trusted_proxies=["127.0.0.1", "10.0.0.0/8"]) as server, server.client(**headers) as client:
        answer = (await client.get("/whoami")).json()["data"]
        assert (answer["address"], answer["scheme"]) == (address, "http")
        assert (await client.get("/api/projects")).status_code == 401  # nobody behind a proxy is the owner


@pytest.mark.parametrize(
    ("address", "network"),
    [
        (None, "unix"),
        ("203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
    ],
)
async def test_who_has_one_address_of_a_network_has_them_all(address: str | None, network: str) -> None:
    async with Quart(__name__).app_context():
        g.address = None if address is None else ip_address(address)
        assert client_network() == network


async def test_another_proxy_is_not_believed(server: Server) -> None:
    headers = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example"}
    async with server.client(**headers) as client:
        answer = await client.get("/whoami")
        assert answer.json()["data"] == {"address": "127.0.0.1", "scheme": "http", "user": None}
        assert "Strict-Transport-Security" not in answer.headers


async def test_https_at_a_trusted_proxy_counts() -> None:
    headers = {"X-Forwarded-Proto": "https", "Host": "box.test"}
    settings = {"trusted_proxies": ["127.0.0.0/8"], "allowed_hosts": ["box.test"]}
    async with serving(**settings) as server, server.client(**headers) as client:
        answer = await client.get("/whoami", headers={"Origin": "https://box.test"})
        assert answer.json()["data"]["scheme"] == "https"
        assert "Strict-Transport-Security" in answer.headers
        assert (await client.get("/whoami", headers={"Origin": "http://box.test"})).status_code == 403


@pytest.mark.parametrize("text", ["", "proxy", "10.0.0.1/8", "10.0.0.0/99"])
def test_a_proxy_that_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"^\[http\] trusted_proxies: .*; write an address"):
        Callers([text])
