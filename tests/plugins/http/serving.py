"""The HTTP server on a free port, in the test's own nursery."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import httpx
import msgspec
import structlog
import trio
from quart import Blueprint, Response, websocket

from ccod import (
    Block,
    Bus,
    Content,
    Entry,
    Faults,
    Health,
    Metrics,
    Observatory,
    Plugin,
    Record,
    Settings,
    Stored,
    Stream,
)
from ccod.settings import CoreSettings
from ccod.testing.shelf import Shelf
from ccod_http.callers import client_address, scheme
from ccod_http.settings import HttpSettings
from ccod_http.transport import HttpTransport
from ccod_http.web import Body, Routes, current_user
from ccod_jwt.auth import JwtAuth
from ccod_jwt.settings import JwtSettings
from ccod_memory.cache import MemoryCache
from ccod_rest import ccod_http_blueprints

SECRET = "q8Zt0vLw3RkN5xYb7JmC1dHs9UfG2pEa"


class Plain:
    """A parser: the body of a message is a JSON object with a text and blocks."""

    format = "plain"
    version = "1"

    def parse(self, stream: Stream, record: Record) -> Sequence[Entry]:
        return []

    def content(self, body: bytes) -> Content:
        said = json.loads(body)
        return Content(said["text"], [Block(**block) for block in said.get("blocks", ())])


class Server(NamedTuple):
    port: int
    shelf: Shelf
    health: Health
    stopping: trio.Event
    stopped: trio.Event
    metrics: Metrics

    def client(self, **headers: str) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", headers=headers, verify=False)

    def connections(self, state: str = "01") -> int:
        """How many connections the kernel shows on the server's side: established, or those of peers that closed."""
        own = f":{self.port:04X}"
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        return sum(row[1].endswith(own) and row[3] == state for row in rows)

    async def connect(self, address: str = "127.0.0.1") -> trio.SocketStream:
        return await trio.open_tcp_stream(address, self.port)

    async def say(self, *parts: bytes) -> bytes:
        """Send raw bytes, one write for each part, and return all that comes until the server closes."""
        async with await self.connect() as stream:
            try:
                for part in parts:
                    await stream.send_all(part)
                    await trio.sleep(0.01)
            except trio.BrokenResourceError:
                pass  # refused before it was all said; the answer may be there
            return await read_all(stream)

    async def handshake(self, path: str, headers: bytes) -> bytes:
        """Ask for a WebSocket and return the beginning of the answer."""
        async with await self.connect() as stream:
            await stream.send_all(
                f"GET {path} HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n".encode()
                + b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                + headers
                + b"\r\n"
            )
            with trio.fail_after(10):
                return await stream.receive_some()


async def read_all(stream: trio.SocketStream) -> bytes:
    answer = b""
    with trio.fail_after(10):
        try:
            async for part in stream:
                answer += part
        except trio.BrokenResourceError:
            pass  # the server cut the connection
    return answer


class Note(Body):
    text: Annotated[str, msgspec.Meta(max_length=100)]
    likes: int = 0
    weight: float = 0.0
    inner: dict[str, Any] = msgspec.field(default_factory=dict)
    at_home: bool = False


def probe(shelf: Shelf) -> Routes:
    """Routes that only tests need."""
    routes = Routes("probe", __name__)
    counts: Counter[str] = Counter()

    @routes.get("/boom", access="public")
    async def boom() -> str:
        raise RuntimeError("secret")

    @routes.get("/big", access="public", media=["application/octet-stream"])
    async def big() -> Response:
        return Response(bytes(32 * 1024 * 1024), content_type="application/octet-stream")

    @routes.get("/whoami", access="public")
    async def whoami() -> dict[str, Any]:
        """Tell what is known of the caller."""
        user = current_user()
        return {"address": str(client_address()), "scheme": scheme(), "user": user and user.id}

    @routes.get("/count/<name>", access="public", stored=True)
    async def count(name: str) -> str:
        counts[name] += 1
        return f"{name} {counts[name]} " + "x" * 2000

    @routes.get("/meanwhile", access="public", stored=True)
    async def meanwhile() -> str:
        """Answer while something is stored, twice."""
        counts["meanwhile"] += 1
        if counts["meanwhile"] < 3:
            shelf.revision = (shelf.revision or 0) + 1
        return f"meanwhile {counts['meanwhile']}"

    @routes.get("/token", access="public", secret=True)
    async def token() -> str:
        return "secret " * 1000

    @routes.get("/parts", access="public", media=["text/plain"])
    async def parts() -> Response:
        async def some() -> AsyncIterator[bytes]:
            for number in range(100):
                yield b"part %d of many\n" % number

        return Response(some(), content_type="text/plain")

    @routes.post("/guess", access="public", pace="strict")
    async def guess() -> None:
        """Be wrong."""

    @routes.post("/note", access="public", status=201)
    async def note(body: Note) -> Note:
        """Say back what was said."""
        return body

    @routes.delete("/unsaid", access="public")
    async def unsay() -> None:
        """Do nothing."""

    @routes.websocket("/echo", access="public")
    async def echo() -> None:
        await websocket.accept()
        while True:
            await websocket.send(await websocket.receive())

    @routes.websocket("/guarded", access="read")
    async def guarded() -> None:
        await websocket.accept(subprotocol="other")
        await websocket.receive()

    @routes.websocket("/flood", access="public")
    async def flood() -> None:
        await websocket.accept()
        while True:
            await websocket.send(bytes(1024 * 1024))

    return routes


async def do_at_once(work: Callable[[], Awaitable[Stored | None]]) -> Stored | None:
    return await work()


@asynccontextmanager
async def serving(
    *more: Blueprint,
    middleware: Sequence[object] = (),
    auth: Any = None,
    own: Sequence[str] = ("rest", "probe"),
    **settings: Any,
) -> AsyncIterator[Server]:
    http = msgspec.convert({"port": 0, "host": "127.0.0.1", "socket": ""} | settings, HttpSettings)
    all_settings = Settings(CoreSettings(), {HttpSettings: http})
    shelf, health, stopping = Shelf(), Health(), trio.Event()

    def ask(hook: str, settings: Settings, observatory: Observatory) -> Sequence[tuple[str, Any]]:
        if hook == "ccod_http_middleware":
            return [("probe", middleware)]
        if hook != "ccod_http_blueprints":
            return []
        return [("rest", ccod_http_blueprints(settings, observatory)), ("probe", [probe(shelf), *more])]

    auth = auth or JwtAuth(JwtSettings(secret=SECRET), shelf)
    observatory = Observatory(
        shelf,
        auth,
        Bus(),
        health,
        {"plain": Plain()},
        stopping,
        ask,
        do_at_once,
        cache=MemoryCache(1 << 20),
        faults=Faults([Plugin("probe", "", "")]),
    )
    observatory.faults.watch(health, observatory.metrics)
    observatory.faults.contain(own)
    transport = HttpTransport(all_settings, observatory)
    stopped = trio.Event()

    async def run(*, task_status: trio.TaskStatus[None]) -> None:
        await transport.run(task_status=task_status)
        stopped.set()

    async with auth, trio.open_nursery() as nursery:
        with structlog.testing.capture_logs() as logs:
            await nursery.start(run)
        url = next(entry["url"] for entry in logs if entry["event"] == "listening")
        yield Server(int(url.rpartition(":")[2]), shelf, health, stopping, stopped, observatory.metrics)
        nursery.cancel_scope.cancel()
