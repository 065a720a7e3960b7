"""Server-sent events: what the WebSocket tells, for whoever only listens."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import httpx
import msgspec
import pytest
import trio
from trio.testing import MockClock

from ccod import FileChange
from ccod_ws.guests import Origin
from ccod_ws.sse import HEARTBEAT, HEARTBEAT_SECONDS, EventsQuery, Stream
from tests.plugins.ws.house import LIMIT, House, Line, added, make_house, open_house


class Events:
    """An event stream as a client of it reads it."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self._stream = stream
        self._read = b""
        self.last_id: str | None = None

    async def next(self) -> dict[str, Any]:
        """Return the next message; comments and fields that say nothing of it are passed over."""
        while True:
            name, _, value = (await self.line()).partition(": ")
            if name == "id":
                self.last_id = value
            if name == "data":
                message: dict[str, Any] = msgspec.json.decode(value)
                return message

    async def line(self) -> str:
        with trio.fail_after(LIMIT):
            while b"\n" not in self._read:
                part = await self._stream.receive_some()
                if not part:
                    raise EOFError
                self._read += part
        line, _, self._read = self._read.partition(b"\n")
        return line.decode().rstrip("\r")


@asynccontextmanager
async def listening(house: House, last_id: str | None = None, **query: str) -> AsyncIterator[Events]:
    """Ask by HTTP/1.0, where a body is not chunked."""
    async with await trio.open_tcp_stream("127.0.0.1", house.port) as stream:
        resume = f"Last-Event-ID: {last_id}\r\n" if last_id else ""
        request = f"GET /api/events?{urlencode(query)} HTTP/1.0\r\nHost: localhost:{house.port}\r\n{resume}\r\n"
        await stream.send_all(request.encode())
        events = Events(stream)
        assert " 200 " in await events.line()
        headers = [await events.line()]
        while headers[-1]:
            headers.append(await events.line())
        assert "content-type: text/event-stream; charset=utf-8" in headers
        assert (await events.next())["type"] == "welcome"
        yield events


async def ask(house: House, path: str, method: str = "GET", **headers: str) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False, verify=False, timeout=LIMIT) as client:
        return await client.request(method, f"http://127.0.0.1:{house.port}{path}", headers=headers)


async def test_a_stream_tells_what_the_websocket_tells() -> None:
    async with open_house() as house, house.listener("conversations") as twin, listening(house) as events:
        house.store(added(1, "odd \ud800 text\u2028"), added(2))
        for seq in (1, 2):
            assert await events.next() == await twin.hear()
            assert events.last_id == str(seq)


async def test_a_stream_goes_on_after_the_last_event_id() -> None:
    async with open_house() as house:
        house.store(*(added(seq) for seq in range(1, 301)))
        async with listening(house, since="295") as events:
            assert [(await events.next())["seq"] for _ in range(5)] == [296, 297, 298, 299, 300]
        async with listening(house, last_id="298", since="0") as events:
            house.store(added(301))
            heard = [await events.next() for _ in range(4)]
    assert [one["seq"] for one in heard if one["type"] == "broadcast"] == [299, 300, 301]


async def test_channels_share_a_stream_in_the_order_of_their_events() -> None:
    async with open_house() as house, listening(house, channel="conversations,files", types="add,message_added") as e:
        house.store(added(1), file=FileChange("add", "/x", 1))
        assert [(await e.next())["channel"] for _ in range(2)] == ["conversations", "files"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("channel=nonsense", "UNKNOWN_CHANNEL"),
        ("channel=", "UNKNOWN_CHANNEL"),
        ("channel=conversations,files&projectId=p", "INVALID_FILTER"),
        ("types=add", "INVALID_FILTER"),
        ("since=7", "INVALID_SINCE"),
        ("since=-1", "INVALID_SINCE"),
        ("since=" + 5000 * "9", "INVALID_SINCE"),
        ("since=0&epoch=other", "INVALID_SINCE"),
        ("token=secret", "VALIDATION_FAILED"),
    ],
)
async def test_what_cannot_be_is_refused(query: str, code: str) -> None:
    async with open_house() as house:
        refusal = await ask(house, f"/api/events?{query}")
        assert (refusal.status_code, refusal.json()["error"]["code"]) == (400, code)
        assert not house.hub.guests


async def test_a_quiet_stream_shows_that_it_lives(autojump_clock: MockClock) -> None:
    house = make_house()
    house.hub.begin(await house.storage.position())
    stream = Stream(house.hub, Line(), Origin())
    await stream.choose(EventsQuery(), None)
    body = stream.body()
    began = trio.current_time()
    for _ in range(2):
        await anext(body)  # how it begins
    assert [await anext(body) for _ in range(3)] == [HEARTBEAT] * 3
    assert trio.current_time() - began == 3 * HEARTBEAT_SECONDS
    assert len(house.hub.guests) == 1
    await body.aclose()
    assert not house.hub.guests


async def test_who_goes_is_forgotten_and_stopping_ends_a_stream() -> None:
    async with open_house() as house:
        async with listening(house):
            assert len(house.hub.guests) == 1
        with trio.fail_after(LIMIT):
            while house.hub.guests:
                await trio.sleep(0.01)
        async with listening(house, channel="system", types="server_shutdown") as events:
            house.observatory.stopping.set()
            assert (await events.next())["data"]["event"] == "server_shutdown"
            with pytest.raises(EOFError):
                await events.next()


async def test_a_stranger_hears_nothing() -> None:
    async with open_house() as house:
        house.auth.strict = True
        assert (await ask(house, "/api/events")).status_code == 401
