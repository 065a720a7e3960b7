"""Who asks is what the kernel says; a header can only take rights away."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import trio

from ccod import Auth, Peer, User
from ccod_http import sockettable
from tests.plugins.http.serving import Server, serving

ASK = r"exec 3<>/dev/tcp/127.0.0.1/$0; printf 'GET /api/projects HTTP/1.0\r\nHost: localhost\r\n\r\n' >&3; cat <&3"
NOBODY = 65534
needs_root = pytest.mark.skipif(
    os.getuid() != 0 or not Path("/bin/bash").exists(), reason="only root can become another user, and bash is asked to"
)


async def test_a_process_of_the_same_user_is_the_owner(server: Server) -> None:
    async with server.client() as client:
        assert [(await client.get("/api/projects")).status_code for _ in range(2)] == [200, 200]


@needs_root
@pytest.mark.parametrize(("access", "status"), [("owner", b"401"), ("loopback", b"200")])
async def test_another_user_reads_only_where_loopback_is_trusted(access: str, status: bytes) -> None:
    async with serving(access=access) as server:
        command = ["/bin/bash", "-c", ASK, str(server.port)]
        done = await trio.run_process(command, capture_stdout=True, user=NOBODY, cwd="/")
        assert done.stdout.startswith(b"HTTP/1.1 " + status)


STRANGE = (
    {"Forwarded": "for=127.0.0.1"},
    {"X-Forwarded-For": "127.0.0.1"},
    {"x-forwarded-proto": "http"},
    {"X-Real-IP": "127.0.0.1"},
    {"Authorization": "Bearer abc"},
    {"Authorization": "bearer"},
    {"Authorization": "Basic b3duZXI6"},
    {"Authorization": ""},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "http://localhost:5173"},
)


@pytest.mark.parametrize("access", ["owner", "loopback"])
async def test_a_proxy_a_token_or_another_page_makes_a_stranger(access: str) -> None:
    async with serving(access=access) as server, server.client() as client:
        for headers in STRANGE:
            response = await client.get("/api/projects", headers=headers)
            assert response.status_code == 401, headers
            assert response.headers["WWW-Authenticate"] == "Bearer"
            expected = "AUTH_TOKEN_INVALID" if "Authorization" in headers else "AUTH_REQUIRED"
            assert response.json()["error"]["code"] == expected


class Words(Auth):
    """An auth that asks for a word by a scheme of its own."""

    challenge = 'Word realm="house"'

    def __init__(self) -> None:
        self.peers: list[Peer] = []

    async def __aexit__(self, *_: object) -> None:
        """There is nothing to close."""

    async def identify(self, peer: Peer) -> User | None:
        self.peers.append(peer)
        return User("1", "", "user") if peer.token == "sesame" else None

    async def ended(self, user: User) -> None:
        await trio.sleep_forever()


async def test_an_auth_says_by_which_scheme_it_is_shown_a_token() -> None:
    auth = Words()
    async with serving(auth=auth, access="login") as server, server.client() as client:
        assert (await client.get("/api/projects", headers={"Authorization": "word sesame"})).status_code == 200
        assert auth.peers[-1].address == "127.0.0.1"
        for wrong in ("Bearer sesame", "Word open", "Wordsesame"):
            refused = await client.get("/api/projects", headers={"Authorization": wrong})
            assert refused.status_code == 401
            assert refused.headers["WWW-Authenticate"] == auth.challenge
        document = (await client.get("/openapi.json")).json()
        assert document["components"]["securitySchemes"]["word"]["scheme"] == "word"
        protocol = b"Host: localhost\r\nSec-WebSocket-Protocol: x, bearer.sesame\r\n"
        assert (await server.handshake("/guarded", protocol)).startswith(b"HTTP/1.1 401")


async def test_a_header_cannot_name_another_address(server: Server) -> None:
    async with server.client(**{"Remote-Addr": "10.0.0.1"}) as client:
        assert (await client.get("/api/projects")).status_code == 200


@pytest.mark.parametrize(("protocol", "status"), [(b"bearer.abc", 401), (b"other", 101)])
async def test_a_handshake_presents_its_token_as_a_subprotocol(server: Server, protocol: bytes, status: int) -> None:
    headers = b"Host: localhost\r\nSec-WebSocket-Protocol: x, " + protocol + b"\r\n"
    answer = await server.handshake("/guarded", headers)
    assert answer.startswith(b"HTTP/1.1 %d" % status)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_the_kernel_names_the_owner_of_an_open_connection_only(host: str) -> None:
    try:
        listener = (await trio.open_tcp_listeners(0, host=host))[0]
    except OSError:
        pytest.skip(f"this machine has no {host}")
    async with listener:
        client = await trio.open_tcp_stream(host, listener.socket.getsockname()[1])
        async with await listener.accept() as accepted:
            ends = accepted.socket.getpeername()[:2], accepted.socket.getsockname()[:2]
            assert sockettable.owner(*ends) == os.getuid()
            assert sockettable.owner((host, 1), ends[1]) is None
            await client.aclose()
            assert sockettable.owner(*ends) is None


async def test_pipelined_requests_are_all_answered(server: Server) -> None:
    request = b"GET /api/projects HTTP/1.1\r\nHost: localhost\r\n"
    answer = await server.say(19 * (request + b"\r\n") + request + b"Connection: close\r\n\r\n")
    assert answer.count(b"HTTP/1.1 200") == 20


def test_the_holder_of_a_port_is_named_with_its_command() -> None:
    code = "import socket; s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1], flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code, "a" * 100, "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout
        found = sockettable.listener(int(holder.stdout.readline()))
        holder.kill()
    assert found is not None
    assert found[0] == holder.pid
    assert found[1].startswith(sys.executable)
    assert found[1].endswith(" serve")  # by which `ccod doctor` knows a daemon, wherever it is installed
