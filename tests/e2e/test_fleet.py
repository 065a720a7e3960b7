"""Two nodes behind nginx as contrib/fleet has it: TLS, WebSockets, streams, and a node that is gone."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
import pytest
import trio
from trio_websocket import wrap_client_stream

from ccod.testing.waiting import eventually, limit
from tests.e2e.daemon import Daemon, free_port, open_daemon
from tests.e2e.lines import SESSION, line
from tests.e2e.nginx import NAME, Nginx, reason_to_skip

if reason := reason_to_skip():
    pytest.skip(reason, allow_module_level=True)

GUESTS = """
import trio

from ccod import Auth, User, hookimpl


class Guests(Auth):
    async def __aexit__(self, *_): ...

    async def identify(self, peer):
        return User(peer.address, "", "user") if peer.address == "127.0.0.1" else None

    async def ended(self, user):
        await trio.sleep_forever()


@hookimpl
def ccod_auth():
    return Guests()
"""
"""Lets in who comes from this machine, as far as ccod can tell."""
SERVED = {
    "host": "127.0.0.1",
    "access": "login",
    "trusted_proxies": ["127.0.0.1"],
    "allowed_hosts": [NAME],
}


class Fleet:
    def __init__(self, nodes: list[Daemon], nginx: Nginx, client: httpx.AsyncClient) -> None:
        self.nodes = nodes
        self.nginx = nginx
        self.client = client

    async def connect(self) -> trio.SSLStream[trio.SocketStream]:
        plain = await trio.open_tcp_stream("127.0.0.1", self.nginx.port)
        return trio.SSLStream(plain, self.nginx.trust, server_hostname=NAME, https_compatible=True)

    async def answers(self) -> bool:
        return (await self.client.get("/api/projects")).status_code == 200

    def write(self, text: str) -> None:
        """Write a line that each node reads."""
        for node in self.nodes:
            path = node.home.root / "-home-dev-demo" / f"{SESSION}.jsonl"
            path.parent.mkdir(exist_ok=True)
            with path.open("ab") as file:
                file.write(line(text))


@asynccontextmanager
async def fleet(folder: Path) -> AsyncIterator[Fleet]:
    async with AsyncExitStack() as stack:
        ports = [free_port(), free_port()]
        nodes = [await stack.enter_async_context(_node(folder / str(port), port)) for port in ports]
        nginx = Nginx(folder, ports)
        stack.enter_context(nginx.running())
        url, headers = f"https://127.0.0.1:{nginx.port}", {"Host": NAME}
        made = httpx.AsyncClient(base_url=url, headers=headers, verify=nginx.trust, trust_env=False, timeout=20)
        yield Fleet(nodes, nginx, await stack.enter_async_context(made))


@asynccontextmanager
async def _node(folder: Path, port: int) -> AsyncIterator[Daemon]:
    async with open_daemon(folder, {"http": {**SERVED, "port": port}}, start=False) as node:
        node.home.install("guests", GUESTS)
        node.home.variables["CCOD_AUTH"] = "guests"
        await node.start()
        yield node


async def test_what_comes_through_the_proxy_is_told_at_once_and_outlives_a_node(tmp_path: Path) -> None:
    async with fleet(tmp_path) as running, await running.connect() as events, await running.connect() as stream:
        await events.send_all(f"GET /api/events HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode())
        async with trio.open_nursery() as nursery:
            connection = await wrap_client_stream(nursery, stream, NAME, "/ws")
            await connection.send_message(json.dumps({"type": "subscribe", "channel": "conversations"}))
            with limit(20, "subscription"):
                while json.loads(await connection.get_message())["type"] != "subscribed":
                    pass
            running.write("walrus")
            with limit(20, "broadcast"):
                while json.loads(await connection.get_message())["type"] != "broadcast":
                    pass
            with limit(20, "event of the stream"):
                heard = b""
                while b"walrus" not in heard:
                    heard += await events.receive_some()
            await connection.aclose()
        for node in running.nodes:
            await node.kill()
            await eventually(running.answers, "answer of the other node", 20)  # which may be left alone for a while
            await node.start()


async def test_a_client_that_says_where_it_comes_from_is_not_believed(tmp_path: Path) -> None:
    async with fleet(tmp_path) as running:
        given = {"X-Forwarded-For": "10.9.9.9"}
        assert (await running.client.get("/api/projects", headers=given)).status_code == 200
        assert await running.nodes[0].status("/api/projects", **given) == 401  # as the proxy would have said it
