"""The daemon's routes over HTTP on a free port and a Unix socket, with accounts."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import msgspec
import structlog
import trio
from quart import Blueprint, Quart
from trio_websocket import ConnectionClosed, WebSocketConnection, wrap_client_stream

import ccod_jwt
import ccod_rest
import ccod_ws
from ccod import Bus, Health, Observatory, Settings
from ccod.settings import CoreSettings
from ccod.testing.shelf import Shelf
from ccod_http.settings import HttpSettings, LimitSettings
from ccod_http.table import Table
from ccod_http.transport import HttpTransport
from ccod_jwt.auth import JwtAuth
from ccod_jwt.backoff import Backoff
from ccod_jwt.logins import Login
from ccod_jwt.settings import JwtSettings
from ccod_ws.hub import hub_of
from ccod_ws.settings import WsSettings
from ccod_ws.transport import WsTransport
from tests.plugins.http.serving import SECRET, do_at_once
from tests.plugins.jwt.office import PASSWORD


class Answer(NamedTuple):
    status: int
    headers: httpx.Headers
    body: Any

    @property
    def data(self) -> Any:
        return self.body["data"]

    @property
    def code(self) -> str:
        return str(self.body["error"]["code"])


class Desk:
    def __init__(
        self, port: int, socket: Path, auth: JwtAuth, settings: Settings, declared: Sequence[Blueprint]
    ) -> None:
        self.port = port
        self.socket = socket
        self.auth = auth
        self.settings = settings
        self.blueprints = declared
        self._tcp = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}")
        self._unix = httpx.AsyncClient(base_url="http://localhost", transport=httpx.AsyncHTTPTransport(uds=str(socket)))

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        token: str | None = None,
        *,
        admin: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Ask over TCP, or as `admin` on the owner's Unix socket."""
        client = self._unix if admin else self._tcp
        headers = dict(headers or {})
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        content = None if body is None else json.dumps(body)
        if content is not None:
            headers.setdefault("Content-Type", "application/json")
        answer = await client.request(method, path, content=content, headers=headers)
        return Answer(answer.status_code, answer.headers, answer.json() if answer.content else None)

    async def ask_with(self, method: str, path: str, tokens: Sequence[str]) -> list[Answer]:
        """Ask the same with each of some tokens, all on one connection and at once, which is quick."""
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: localhost:{self.port}\r\nX-Request-ID: same\r\nAuthorization: Bearer "
        )
        answers: list[Answer] = []
        async with await trio.open_tcp_stream("127.0.0.1", self.port) as stream, trio.open_nursery() as nursery:
            nursery.start_soon(stream.send_all, "".join(f"{head}{token}\r\n\r\n" for token in tokens).encode())
            received = b""
            while len(answers) < len(tokens):
                above, found, below = received.partition(b"\r\n\r\n")
                length = int(re.findall(rb"content-length: (\d+)", above)[0]) if found else 0
                if not found or len(below) < length:
                    part = await stream.receive_some()
                    assert part, "the server closed the connection"
                    received += part
                    continue
                answers.append(Answer(int(above[9:12]), httpx.Headers(), json.loads(below[:length])))
                received = below[length:]
        return answers

    @asynccontextmanager
    async def events(self, token: str) -> AsyncIterator[AsyncIterator[str]]:
        """Listen to server-sent events, line by line."""
        asked = {"Authorization": f"Bearer {token}"}
        async with self._tcp.stream("GET", "/api/events", headers=asked, timeout=10) as answer:
            assert answer.status_code == 200
            yield answer.aiter_lines()

    async def login(self, name: str, role: Any = "user") -> Login:
        """Make an account, and log in to it."""
        account = await self.auth.accounts.add(f"{name}@example.com", PASSWORD, role)
        return await self.auth.logins.begin(account)

    @asynccontextmanager
    async def websocket(
        self, *headers: tuple[str, str], protocols: Sequence[str] = ()
    ) -> AsyncIterator[WebSocketConnection]:
        stream = await trio.open_tcp_stream("127.0.0.1", self.port)
        async with stream, trio.open_nursery() as nursery:
            extra = [(name.encode(), value.encode()) for name, value in headers]
            connection = await wrap_client_stream(
                nursery, stream, f"127.0.0.1:{self.port}", "/ws", subprotocols=protocols, extra_headers=extra
            )
            assert json.loads(await connection.get_message())["type"] == "welcome"
            yield connection
            await connection.aclose()

    async def close(self) -> None:
        await self._tcp.aclose()
        await self._unix.aclose()


async def close_code(connection: WebSocketConnection) -> int:
    """Wait until the server closes, and return the code."""
    with trio.fail_after(10):
        try:
            while True:
                await connection.get_message()
        except ConnectionClosed as closed:
            return int(closed.reason.code) if closed.reason else 0


@asynccontextmanager
async def desk(folder: Path, backoff: Backoff | None = None, **settings: Any) -> AsyncIterator[Desk]:
    """Serve from a storage in memory; `settings` are those of `[jwt]`."""
    socket = folder / "ccod.sock"
    jwt = msgspec.convert({"secret": SECRET, "bcrypt_rounds": 4} | settings, JwtSettings)
    chosen = Settings(
        CoreSettings(),
        {
            HttpSettings: HttpSettings(host="127.0.0.1", port=0, socket=str(socket), limits=LimitSettings(window=0)),
            JwtSettings: jwt,
            WsSettings: WsSettings(),
        },
    )
    declared: list[Blueprint] = []

    def ask(hook: str, settings: Settings, observatory: Observatory) -> Sequence[tuple[str, Any]]:
        if hook != "ccod_http_blueprints":
            return []
        answers = [
            ("rest", list(ccod_rest.ccod_http_blueprints(settings, observatory))),
            ("jwt", list(ccod_jwt.ccod_http_blueprints(settings, observatory))),
            ("ws", list(ccod_ws.ccod_http_blueprints(settings, observatory))),
        ]
        declared.extend(blueprint for _, blueprints in answers for blueprint in blueprints)
        return answers

    shelf = Shelf()
    async with JwtAuth(jwt, shelf, backoff=backoff) as auth, trio.open_nursery() as nursery:
        observatory = Observatory(shelf, auth, Bus(), Health(), {}, trio.Event(), ask, do_at_once)
        transport = HttpTransport(chosen, observatory)
        with structlog.testing.capture_logs() as logs:
            await nursery.start(WsTransport(hub_of(chosen, observatory), observatory).run)
            await nursery.start(transport.run)
        url = next(entry["url"] for entry in logs if entry["event"] == "listening")
        served = Desk(int(url.rpartition(":")[2]), socket, auth, chosen, declared)
        try:
            yield served
        finally:
            await served.close()
        nursery.cancel_scope.cancel()


def guarded(served: Desk) -> list[tuple[str, str]]:
    """Return the method and path of every route that is not public nor a WebSocket, its parameters filled in."""
    table = Table(Quart("desk"))
    for blueprint in served.blueprints:
        table.add("desk", blueprint)
    found = [row for row in table.rows if row.route.access != "public" and row.route.method != "WEBSOCKET"]
    return [(row.route.method, re.sub("<[^>]*>", "1", row.path)) for row in found]


async def refusals(served: Desk, method: str, path: str, tokens: Sequence[tuple[str, str]]) -> set[str]:
    """Ask with each token, assert that all are refused, and return the different answers but for time and place."""
    answers = await served.ask_with(method, path, [token for _, token in tokens])
    accepted = [name for (name, _), answer in zip(tokens, answers, strict=True) if answer.status != 401]
    assert not accepted, (method, path, accepted)
    return {str(answer.body | {"timestamp": "", "instance": ""}) for answer in answers}
