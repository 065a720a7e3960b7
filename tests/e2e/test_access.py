"""Every route, and everybody who might ask: let in or kept out as docs/api.md says, and with the headers of safety."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from ccod_http.page import POLICY
from ccod_http.safety import HEADERS
from tests.e2e.access import API, Declared, documented, served
from tests.e2e.daemon import Daemon, open_daemon

if not API.exists():
    pytest.skip("the table of routes is in the source tree", allow_module_level=True)

NOBODY = 65534
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}
PREFLIGHT = {"Origin": "http://localhost:5173", "Access-Control-Request-Method": "GET"}


class Caller(NamedTuple):
    """Who asks: with these headers, on the Unix socket or not; what they may, and how they are refused else.

    One who is `stopped` does not come to the question who may ask, on no route.
    """

    headers: Mapping[str, str] = {}
    unix: bool = False
    rights: frozenset[str] = frozenset()
    refused: int = 401
    stopped: bool = False

    def expected(self, access: str) -> int | None:
        """Return the status of a refusal, or None where the caller is let in."""
        return None if not self.stopped and access in self.rights | {"public"} else self.refused


ALL = frozenset({"read", "write", "reveal", "admin"})
KEPT_OUT = {401, 403, 421}
LAST = "/auth/logout"
"""Who asked for that is a stranger from then on."""
PASSWORD = "four words on a wall"
CALLERS = {
    "owner": Caller(rights=frozenset({"read"})),
    "owner on the Unix socket": Caller(unix=True, rights=ALL),
    "no token of ours": Caller({"Authorization": "Bearer abc"}),
    "no token of ours on the Unix socket": Caller({"Authorization": "Bearer abc"}, unix=True),
    "another scheme": Caller({"Authorization": "Basic b3duZXI6"}),
    "proxy": Caller({"X-Forwarded-For": "127.0.0.1"}),
    "proxy on the Unix socket": Caller({"Forwarded": "for=127.0.0.1"}, unix=True),
    "page of an allowed origin": Caller({"Origin": "http://localhost:5173"}),
    "page of another port": Caller({"Sec-Fetch-Site": "same-site"}),
    "page of another port on the Unix socket": Caller({"Sec-Fetch-Site": "same-site"}, unix=True),
    "foreign Host": Caller({"Host": "evil.example"}, refused=421, stopped=True),
    "foreign Origin": Caller({"Origin": "http://evil.example"}, refused=403, stopped=True),
    "foreign Origin on the Unix socket": Caller({"Origin": "null"}, unix=True, refused=403, stopped=True),
    "page of another site": Caller({"Sec-Fetch-Site": "cross-site"}, refused=403, stopped=True),
}


async def with_accounts(local: httpx.AsyncClient) -> dict[str, Caller]:
    """Make accounts and keys as the owner on the Unix socket; return who asks with what came of it."""

    async def made(path: str, body: Mapping[str, object], token: str = "") -> Any:
        answer = await local.post(path, json=body, headers=bearer(token) if token else {})
        assert answer.status_code == 201, answer.text
        return answer.json()["data"]

    async def login(name: str) -> Any:
        return await made("/auth/register", {"email": f"{name}@example.com", "password": PASSWORD})

    async def key(*scopes: str) -> str:
        return str((await made("/api/keys", {"name": "key", "scopes": scopes}, admin["accessToken"]))["key"])

    admin, user, removed = await login("admin"), await login("user"), await login("removed")
    page, proxied = await login("page"), await login("proxied")
    await local.delete(f"/api/users/{removed['user']['id']}")
    return {
        "admin": Caller(bearer(admin["accessToken"]), rights=ALL, refused=403),
        "user": Caller(bearer(user["accessToken"]), rights=frozenset({"read", "write"}), refused=403),
        "user on a page of an allowed origin": Caller(
            {**bearer(page["accessToken"]), "Origin": "http://localhost:5173"},
            rights=frozenset({"read", "write"}),
            refused=403,
        ),
        "user through a proxy": Caller(
            {**bearer(proxied["accessToken"]), "X-Forwarded-For": "192.0.2.1"},
            rights=frozenset({"read", "write"}),
            refused=403,
        ),
        "key that reads": Caller(bearer(await key("read")), rights=frozenset({"read"}), refused=403),
        "key that reveals": Caller(
            bearer(await key("read", "reveal")), rights=frozenset({"read", "reveal"}), refused=403
        ),
        "removed user": Caller(bearer(removed["accessToken"])),
        "removed user on the Unix socket": Caller(bearer(removed["accessToken"]), unix=True),
        "refresh token": Caller(bearer(user["refreshToken"])),
        "admin at a foreign Host": Caller(
            {**bearer(admin["accessToken"]), "Host": "evil.example"}, refused=421, stopped=True
        ),
        "admin on a page of a foreign origin": Caller(
            {**bearer(admin["accessToken"]), "Origin": "http://evil.example"}, refused=403, stopped=True
        ),
    }


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def filled(path: str) -> str:
    """Return a path that names nothing there is."""
    return path.replace("{stream_id}", "1").replace("{attachment_id}", "1").replace("{", "").replace("}", "")


async def asked(client: httpx.AsyncClient, method: str, path: str, headers: Mapping[str, str]) -> httpx.Response:
    """Return the answer, or the head of one without an end; on the connection of one that is read more can be asked."""
    if method == "WEBSOCKET":
        method, headers = "GET", {**headers, **UPGRADE}
    async with client.stream(method, path, headers=headers) as answer:
        if "Content-Length" in answer.headers and "Upgrade" not in headers:
            await answer.aread()
        return answer


def unsafe(answer: httpx.Response) -> list[str]:
    """Return the headers of safety that an answer lacks; a page has a policy of its own, a secret is not kept."""
    own = {"Cache-Control": "no-store", "Content-Security-Policy": POLICY}
    return [name for name, value in HEADERS.items() if answer.headers.get(name) not in {value, own.get(name)}]


async def mistakes(client: httpx.AsyncClient, name: str, caller: Caller, route: Declared) -> list[str]:
    """Return how the daemon answers otherwise than the table says."""
    expected = caller.expected(route.access)
    methods = ["GET", "HEAD"] if route.method == "GET" else [route.method]
    found = []
    for method in methods:
        answer = await asked(client, method, filled(route.path), caller.headers)
        status = answer.status_code
        if (status != expected) if expected else (status in KEPT_OUT or status >= 500):
            found.append(f"{name}: {method} {route.path}: {status}, not {expected or 'let in'}")
        if status != HTTPStatus.SWITCHING_PROTOCOLS:
            found += [f"{name}: {method} {route.path}: {status} without {lacking}" for lacking in unsafe(answer)]
    return found


@pytest.mark.timeout(600)
async def test_every_route_lets_in_whom_the_table_says(tmp_path: Path) -> None:
    socket = tmp_path / "ccod.sock"
    http = {"socket": str(socket), "limits": {"window": 0.0}}  # two thousand requests are more than one may ask
    async with open_daemon(tmp_path, {"http": http, "jwt": {"bcrypt_rounds": 4}}) as daemon:
        document = await daemon.get("/openapi.json")
        assert served(document) == documented(), "the table of routes in docs/api.md is not what is served"
        unix = httpx.AsyncHTTPTransport(uds=str(socket))
        async with (
            httpx.AsyncClient(base_url=daemon.url, trust_env=False, timeout=60) as tcp,
            httpx.AsyncClient(base_url=daemon.url, transport=unix, timeout=60) as local,
        ):
            callers = CALLERS | await with_accounts(local)
            wrong = [
                mistake
                for name, caller in callers.items()
                for route in sorted(documented(), key=lambda route: (route.path == LAST, route))
                for mistake in await mistakes(local if caller.unix else tcp, name, caller, route)
            ]
            assert wrong == []
            for route in sorted(documented()):
                if route.method != "WEBSOCKET":
                    answer = await tcp.options(filled(route.path), headers=PREFLIGHT)
                    assert answer.status_code == 204
                    assert route.method in answer.headers["Access-Control-Allow-Methods"].split(", ")
                    assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]
        if os.getuid() == 0:
            assert_kept_out_as_another_user(daemon)


ASK = r"""
while read -r method path; do
  exec 3<>/dev/tcp/127.0.0.1/$0
  printf '%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' "$method" "$path" >&3
  read -r version status reason <&3
  echo "${status%%$'\r'}"
done
"""


def assert_kept_out_as_another_user(daemon: Daemon) -> None:
    """Ask as another user of this machine, which only root can."""
    stranger = Caller()
    routes = [route for route in sorted(documented()) if route.method != "WEBSOCKET"]
    said = "".join(f"{route.method} {filled(route.path)}\n" for route in routes)
    port = daemon.url.rpartition(":")[2]
    done = subprocess.run(
        ["/bin/bash", "-c", ASK, port], input=said, capture_output=True, text=True, user=NOBODY, cwd="/", check=True
    )
    answers = [int(line) for line in done.stdout.split()]
    for route, status in zip(routes, answers, strict=True):
        expected = stranger.expected(route.access)
        assert status == expected if expected else status not in KEPT_OUT and status < 500, (route, status)
