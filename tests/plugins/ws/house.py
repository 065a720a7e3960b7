"""A small observatory around the hub: real HTTP server, real bus, and a storage that keeps everything in memory."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from math import inf
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import urlsplit

import httpx
import msgspec
import structlog.testing
import trio
from trio.testing import wait_all_tasks_blocked
from trio_websocket import ConnectionClosed, WebSocketConnection, open_websocket

import ccod_ws
from ccod import (
    Block,
    Bus,
    Content,
    Conversation,
    ConversationQuery,
    Entry,
    Event,
    EventQuery,
    Health,
    Message,
    Observatory,
    Page,
    Peer,
    Project,
    ProjectQuery,
    Record,
    Settings,
    StorageUnavailableError,
    Stored,
    Stream,
    Unparsed,
    User,
)
from ccod.settings import CoreSettings
from ccod.testing.shelf import Shelf as EmptyShelf
from ccod_http.transport import HttpTransport
from ccod_http.web import Frame, HttpSettings, Link
from ccod_ws.channels import Channel
from ccod_ws.client import Client
from ccod_ws.guests import Origin
from ccod_ws.hub import Hub, hub_of
from ccod_ws.settings import WsSettings

LIMIT = 20.0
"""Seconds after which a wait has failed, whatever the machine."""

UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
}


class Shelf(EmptyShelf):
    """A storage that counts how often it is read."""

    def __init__(self) -> None:
        super().__init__()
        self.kept_projects: dict[str, Project] = {}
        self.kept_conversations: dict[str, Conversation] = {}
        self.reads: list[Sequence[str]] = []
        self.away = 0
        """How often nothing can be read."""

    async def _look(self) -> None:
        await trio.lowlevel.checkpoint()
        if self.away:
            self.away -= 1
            raise StorageUnavailableError("the disk is away")

    async def events(self, query: EventQuery) -> Sequence[Event]:
        await self._look()
        return await super().events(query)

    async def projects(self, query: ProjectQuery) -> Page[Project]:
        return Page(list(self.kept_projects.values()), len(self.kept_projects))

    async def project(self, id: str) -> Project | None:  # noqa: A002 - the role names it so
        await self._look()
        self.reads.append([id])
        return self.kept_projects.get(id)

    async def conversations(self, query: ConversationQuery) -> Page[Conversation]:
        return Page(list(self.kept_conversations.values()), len(self.kept_conversations))

    async def conversations_by_id(self, ids: Sequence[str]) -> Sequence[Conversation]:
        await self._look()
        self.reads.append(ids)
        return [self.kept_conversations[key] for key in ids if key in self.kept_conversations]


class Plain:
    """A parser whose messages say what their bytes are."""

    format = "plain"
    version = "1"

    def __init__(self) -> None:
        self.asked = 0
        self.threads: dict[int, int] = {}  # by the length of what was asked
        self.blocks: Sequence[Block] = ()

    def parse(self, stream: Stream, record: Record) -> Sequence[Entry | Unparsed]:
        return []

    def content(self, body: bytes) -> Content:
        self.asked += 1
        self.threads[len(body)] = threading.get_ident()
        return Content(body.decode("utf-8", "surrogatepass"), self.blocks)


class Doorman:
    """An auth that knows the processes of this user, or nobody at all."""

    challenge = "Bearer"

    def __init__(self) -> None:
        self.strict = False
        self.revoked = trio.Event()
        self.role: Literal["owner", "admin", "user"] = "owner"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    async def identify(self, peer: Peer) -> User | None:
        return None if self.strict or peer.uid != os.getuid() else User("owner", "", self.role)

    async def ended(self, user: User) -> None:
        await self.revoked.wait()


@dataclass
class House:
    observatory: Observatory
    settings: Settings
    storage: Shelf
    parser: Plain
    auth: Doorman
    hub: Hub
    port: int = 0

    def store(self, *events: Event, **changed: Any) -> None:
        """Publish what a storage would have stored."""
        self.storage.all_events += events
        self.observatory.bus.publish(Stored(events, **changed))

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Listener]:
        async with open_websocket("127.0.0.1", self.port, "/ws", use_ssl=False, disconnect_timeout=LIMIT) as ws:
            try:
                yield Listener(ws)
            finally:
                if ws.closed:  # by the server: trio-websocket leaves the socket open then
                    await ws._stream.aclose()

    async def knock(self) -> httpx.Response:
        """Ask for an upgrade, to hear it refused."""
        async with httpx.AsyncClient(trust_env=False) as client:
            return await client.get(f"http://127.0.0.1:{self.port}/ws", headers=UPGRADE, timeout=LIMIT)

    @asynccontextmanager
    async def listener(self, *channels: str) -> AsyncIterator[Listener]:
        """A client that has subscribed."""
        async with self.client() as client:
            assert (await client.hear())["type"] == "welcome"
            for channel in channels:
                await client.say(type="subscribe", channel=channel)
                assert (await client.hear())["type"] == "subscribed"
            yield client


class Listener:
    """A client of the hub. It answers no ping by itself."""

    def __init__(self, ws: WebSocketConnection) -> None:
        self.ws = ws

    async def hear(self) -> dict[str, Any]:
        with trio.fail_after(LIMIT):
            message: dict[str, Any] = msgspec.json.decode(await self.ws.get_message())
        return message

    async def say(self, **message: Any) -> None:
        await self.send(msgspec.json.encode(message).decode())

    async def send(self, data: str | bytes) -> None:
        with trio.fail_after(LIMIT):
            await self.ws.send_message(data)

    async def rest(self) -> list[dict[str, Any]]:
        """Return all messages until the server closes."""
        heard = []
        try:
            while True:
                heard.append(await self.hear())
        except ConnectionClosed:
            return heard

    @property
    def closed(self) -> tuple[int, str | None]:
        assert self.ws.closed is not None
        return self.ws.closed.code, self.ws.closed.reason


class Line:
    """An accepted WebSocket without a network, and its own link: a peer that listens, or is `stuck`."""

    def __init__(self, *, stuck: bool = False) -> None:
        self.frames: list[Frame] = []
        self.closed: tuple[int, str] | None = None
        self.aborted = False
        self.stuck = stuck
        self.pause = 0.0
        self.sent = 0
        self.link: Link = self
        self._stuck_since = inf
        self._said: deque[str] = deque()
        self._spoke = trio.Event()

    def say(self, **message: Any) -> None:
        self._said.append(msgspec.json.encode(message).decode())
        self._spoke.set()

    async def receive(self) -> str:
        while not self._said:
            self._spoke = trio.Event()
            await self._spoke.wait()
        return self._said.popleft()

    async def send(self, frames: Iterable[Frame], /) -> None:
        await self._get_through()
        await trio.sleep(self.pause)
        self.frames += frames

    async def close(self, code: int, reason: str) -> None:
        await self._get_through()
        self.closed = (code, reason)

    async def _get_through(self) -> None:
        """A write that does not get through ends by no cancellation, as in the server, but by `abort` alone."""
        await trio.lowlevel.checkpoint()
        if self.stuck:
            self._stuck_since = min(self._stuck_since, trio.current_time())
            with trio.CancelScope(shield=True):
                while not self.aborted:
                    await trio.sleep(0.1)

    @property
    def stalled(self) -> float:
        return max(0.0, trio.current_time() - self._stuck_since)

    def abort(self) -> None:
        self.aborted = True

    @property
    def messages(self) -> list[dict[str, Any]]:
        return [msgspec.json.decode(frame.body) for frame in self.frames]


@asynccontextmanager
async def join(house: House, *channels: str, stuck: bool = False) -> AsyncIterator[Line]:
    """A client on a line, who has subscribed."""
    line = Line()
    client = Client(house.hub, line, Origin(), house.settings[WsSettings])
    if not house.hub.epoch:
        house.hub.begin(await house.storage.position())
    house.hub.join(client)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(client.run)
        for channel in channels:
            line.say(type="subscribe", channel=channel)
        await wait_all_tasks_blocked()
        line.frames.clear()
        line.stuck = stuck
        yield line
        line.abort()
        nursery.cancel_scope.cancel()
    house.hub.leave(client)


async def do_at_once(work: Callable[[], Awaitable[Stored | None]]) -> Stored | None:
    return await work()


def make_house(settings: WsSettings | None = None, *channels: Channel) -> House:
    """An observatory whose doors are still shut."""
    storage, parser, auth = Shelf(), Plain(), Doorman()
    kept = Settings(
        CoreSettings(),
        {WsSettings: settings or WsSettings(), HttpSettings: HttpSettings(host="127.0.0.1", port=0)},
    )

    def ask(hook: str, **values: Any) -> Sequence[tuple[str, Any]]:
        if hook == "ccod_ws_channels":
            return [("weather", channels)]
        return [("ws", getattr(ccod_ws, hook)(**values))] if hasattr(ccod_ws, hook) else []

    observatory = Observatory(storage, auth, Bus(), Health(), {"plain": parser}, trio.Event(), ask, do_at_once)
    return House(observatory, kept, storage, parser, auth, hub_of(kept, observatory))


@asynccontextmanager
async def open_house(settings: WsSettings | None = None, *channels: Channel) -> AsyncIterator[House]:
    """An observatory that serves; it stops at the end."""
    house = make_house(settings, *channels)
    http = HttpTransport(house.settings, house.observatory)
    (ws,) = ccod_ws.ccod_transports(house.settings, house.observatory)
    async with trio.open_nursery() as nursery:
        await nursery.start(ws.run)
        with structlog.testing.capture_logs() as logs:
            await nursery.start(http.run)
        url = next(entry["url"] for entry in logs if entry["event"] == "listening")
        house.port = urlsplit(url).port or 0
        yield house
        house.observatory.stopping.set()
        nursery.cancel_scope.deadline = trio.current_time() + LIMIT


def conversation(key: str, **changed: Any) -> Conversation:
    plain = Conversation(key, "p1", "shop-api", "Fix it", "active", 1000, 2000, f"/x/{key}.jsonl", "box")
    return msgspec.structs.replace(plain, **changed)


def project(key: str) -> Project:
    return Project(key, "shop-api", "/home/ada/shop-api", "box", 1000, 2000)


def message(key: str, text: str = "hello", conversation_id: str = "c1") -> Message:
    return Message(key, conversation_id, 1, "user", 1000, "plain", text.encode("utf-8", "surrogatepass"))


def added(seq: int, text: str = "hello", conversation_id: str = "c1") -> Event:
    return Event(
        seq,
        "message_added",
        1000,
        conversation_id=conversation_id,
        message=message(f"m{seq}", text, conversation_id),
    )
