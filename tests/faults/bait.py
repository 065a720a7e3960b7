"""Servers of an attacker: pages that attack, an ear for what they got, and a victim that lets everybody in.

The victim shows that the attacks work: what reads nothing of it proves nothing elsewhere.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import trio
from msgspec import Struct

ATTACKS = Path(__file__).with_name("attacks.js")
_KEY_SUFFIX = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3
_LONGEST = 1 << 20


class Asked(NamedTuple):
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


Answer = tuple[str, Mapping[str, str], bytes]
Handler = Callable[[Asked], Awaitable[Answer]]


class Page(NamedTuple):
    """Where a page stands and what it attacks; without targets that is its own address, once it is another's."""

    address: str
    targets: Sequence[str]


class Got(Struct, frozen=True):
    """What an attack of a page got."""

    page: str
    target: str
    name: str
    got: str

    def has(self, secret: str) -> bool:
        return self.got.startswith(("ok ", "open", "loaded")) or secret in self.got


async def listen(port: int) -> trio.SocketListener:
    """Listen on the address that names of the attacker lead to."""
    return (await trio.open_tcp_listeners(port, host="127.0.0.1"))[0]


def port_of(listener: trio.SocketListener) -> int:
    return int(listener.socket.getsockname()[1])


async def serve(
    listener: trio.SocketListener,
    handler: Handler,
    *,
    task_status: trio.TaskStatus[trio.CancelScope] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Answer one request of each connection until the scope is cancelled that it starts with."""

    async def one(stream: trio.SocketStream) -> None:
        try:
            asked = await _read(stream)
            if asked is None:
                return
            status, headers, body = await handler(asked)
            lines = {"Connection": "close", "Content-Length": str(len(body))} | dict(headers)
            head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
            await stream.send_all(f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body)
        except trio.BrokenResourceError:
            pass  # the browser has given up

    with trio.CancelScope() as scope:
        task_status.started(scope)
        await trio.serve_listeners(one, [listener])


async def _read(stream: trio.SocketStream) -> Asked | None:
    said = b""
    while b"\r\n\r\n" not in said and len(said) < _LONGEST:
        part = await stream.receive_some()
        if not part:
            return None
        said += part
    head, _, body = said.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    while len(body) < min(int(headers.get("content-length", 0)), _LONGEST):
        part = await stream.receive_some()
        if not part:
            return None
        body += part
    method, path, _ = first.split(" ", 2)
    return Asked(method, path, headers, body)


class Attacker:
    """Serves the attacking pages one after the other, and hears what they got."""

    def __init__(self, collector: str, pages: Sequence[Page], last: str, plan: Mapping[str, Any]) -> None:
        """`last` is where the browser goes from the last page."""
        self._collector = collector
        following = [*(page.address for page in pages[1:]), last]
        self._pages = {page.address: (page, address) for page, address in zip(pages, following, strict=True)}
        self._plan = plan
        self._script = ATTACKS.read_text()
        self.loaded = trio.Event()
        self.go = trio.Event()
        self.got: list[Got] = []
        self.reports = 0

    async def answer(self, asked: Asked) -> Answer:
        anybody = {"Access-Control-Allow-Origin": "*"}
        match asked.path:
            case "/go":
                self.loaded.set()
                return "200 OK", anybody, b"go" if self.go.is_set() else b"wait"
            case "/report":
                self.got += [Got(**each) for each in json.loads(asked.body)]
                self.reports += 1
                return "200 OK", anybody, b""
            case "/":
                return "200 OK", {"Content-Type": "text/html; charset=utf-8"}, self._page(asked.headers["host"])
        return "404 Not Found", {}, b""

    def _page(self, host: str) -> bytes:
        page, following = self._pages[f"http://{host}"]
        plan = {
            **self._plan,
            "collector": self._collector,
            "targets": page.targets,
            "waits": not page.targets,
            "next": following,
        }
        return f"<!doctype html><body><script>const plan = {json.dumps(plan)};\n{self._script}</script>".encode()


class Victim:
    """Gives its secret to every page, in whatever form it is asked for, and obeys every order."""

    def __init__(self, secret: str) -> None:
        self._secret = secret
        self.obeyed: list[str] = []

    async def answer(self, asked: Asked) -> Answer:
        headers = {
            "Access-Control-Allow-Origin": asked.headers.get("origin", "*"),
            "Access-Control-Allow-Credentials": "true",
            "Access-Control-Allow-Headers": "authorization, content-type",
            "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE",
        }
        if asked.method not in {"GET", "OPTIONS"}:
            self.obeyed.append(f"{asked.method} {asked.headers.get('content-type', '').partition(';')[0]}".strip())
        if "sec-websocket-key" in asked.headers:
            return "101 Switching Protocols", _accepted(asked), b""
        kind, body = self._as(asked.headers.get("sec-fetch-dest", ""), asked.headers.get("accept", ""))
        return "200 OK", headers | {"Content-Type": kind}, body.encode()

    def _as(self, destination: str, accepted: str) -> tuple[str, str]:
        if accepted == "text/event-stream":
            return accepted, f"data: {self._secret}\n\n"
        return {
            "script": ("text/javascript", f'globalThis.stolen = "{self._secret}";'),
            "style": ("text/css", f"#{self._secret} {{}}"),
            "image": ("image/svg+xml", '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>'),
        }.get(destination, ("text/html", self._secret))


def _accepted(asked: Asked) -> dict[str, str]:
    key = hashlib.sha1(asked.headers["sec-websocket-key"].encode() + _KEY_SUFFIX, usedforsecurity=False)
    return {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Accept": base64.b64encode(key.digest()).decode(),
        **({"Sec-WebSocket-Protocol": "ccod"} if "sec-websocket-protocol" in asked.headers else {}),
    }
