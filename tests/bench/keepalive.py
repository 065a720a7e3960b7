"""A small HTTP client that keeps its connection: on loopback a library's own work would be half of what is measured."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import cycle
from time import perf_counter
from typing import Self

import trio
from msgspec import Struct

ANSWER_SECONDS = 60.0
HOST = "127.0.0.1"


class Answer(Struct, frozen=True):
    """`headers` by their names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Times(Struct):
    """Seconds for each answer: as the client saw it, and within the route where the server tells."""

    seconds: list[float] = []
    inside: list[float] = []

    def quantile(self, share: float) -> float:
        return _quantile(self.seconds, share)

    def quantile_inside(self, share: float) -> float:
        return _quantile(self.inside, share)


class KeepAlive:
    """One connection over which requests are sent one after another."""

    def __init__(self, stream: trio.SocketStream, port: int) -> None:
        self._stream = stream
        self._host = f"localhost:{port}"
        self._read = bytearray()

    @classmethod
    async def connect(cls, port: int) -> Self:
        return cls(await trio.open_tcp_stream(HOST, port), port)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stream.aclose()

    async def get(self, path: str, **headers: str) -> Answer:
        """GET a path; headers such as `If_None_Match`. Raises TooSlowError, and EOFError where the server closed."""
        lines = [f"GET {path} HTTP/1.1", f"Host: {self._host}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        with trio.fail_after(ANSWER_SECONDS):
            await self._stream.send_all("\r\n".join([*lines, "", ""]).encode())
            return await self._answer()

    async def _answer(self) -> Answer:
        while (end := self._read.find(b"\r\n\r\n")) < 0:
            await self._more()
        first, *lines = self._read[:end].decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        status = int(first.split(" ", 2)[1])
        start, length = end + 4, 0 if status == 304 else int(headers["content-length"])
        while len(self._read) < start + length:
            await self._more()
        body = bytes(self._read[start : start + length])
        del self._read[: start + length]
        return Answer(status, headers, body)

    async def _more(self) -> None:
        part = await self._stream.receive_some(256 * 1024)
        if not part:
            raise EOFError("the server closed the connection")
        self._read += part


class Asking(Struct, frozen=True):
    """Paths to be asked for in turn, with the status that each answer must have."""

    paths: Sequence[str]
    headers: Mapping[str, str] = {}
    status: int = 200


@asynccontextmanager
async def connected(port: int, count: int) -> AsyncIterator[Sequence[KeepAlive]]:
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(await KeepAlive.connect(port)) for _ in range(count)]


async def ask(clients: Sequence[KeepAlive], asking: Asking, seconds: float, times: Times) -> float:
    """Ask over all connections at once, as fast as the answers come; return the seconds that it took."""
    paths = cycle(asking.paths)
    began = perf_counter()
    async with trio.open_nursery() as nursery:
        for client in clients:
            nursery.start_soon(_ask, client, asking, paths, began + seconds, times)
    return perf_counter() - began


async def _ask(client: KeepAlive, asking: Asking, paths: Iterator[str], until: float, times: Times) -> None:
    while True:
        began = perf_counter()
        path = next(paths)
        answer = await client.get(path, **asking.headers)
        times.seconds.append(perf_counter() - began)
        assert answer.status == asking.status, f"{path}: {answer.status} {answer.body[:300]!r}"
        if "server-timing" in answer.headers:
            times.inside.append(float(answer.headers["server-timing"].rpartition("dur=")[2]) / 1000)
        if perf_counter() >= until:
            return


def _quantile(values: Sequence[float], share: float) -> float:
    return sorted(values)[round(share * (len(values) - 1))] if values else math.nan
