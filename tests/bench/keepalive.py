"""A small HTTP client that keeps its connection: on loopback a library's own work would be half of what is measured."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
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
    """One connection over which requests are sent one after another; where the server closed it, there is another."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._stream: trio.SocketStream | None = None
        self._read = bytearray()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._close()

    async def get(self, path: str, **headers: str) -> Answer:
        """GET a path; headers such as `If_None_Match`. Raises TooSlowError, and EOFError for half an answer."""
        lines = [f"GET {path} HTTP/1.1", f"Host: localhost:{self._port}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        request = "\r\n".join([*lines, "", ""]).encode()
        with trio.fail_after(ANSWER_SECONDS):
            try:
                return await self._send(request)
            except (EOFError, trio.BrokenResourceError):
                if self._read:
                    raise
            await self._close()  # the server had done so: it does after many requests, or none for a while
            return await self._send(request)

    async def _send(self, request: bytes) -> Answer:
        if self._stream is None:
            self._stream = await trio.open_tcp_stream(HOST, self._port)
        await self._stream.send_all(request)
        return await self._answer(self._stream)

    async def _close(self) -> None:
        if self._stream is not None:
            await self._stream.aclose()
            self._stream = None

    async def _answer(self, stream: trio.SocketStream) -> Answer:
        while (end := self._read.find(b"\r\n\r\n")) < 0:
            await self._more(stream)
        first, *lines = self._read[:end].decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        status = int(first.split(" ", 2)[1])
        start, length = end + 4, 0 if status == 304 else int(headers["content-length"])
        while len(self._read) < start + length:
            await self._more(stream)
        body = bytes(self._read[start : start + length])
        del self._read[: start + length]
        return Answer(status, headers, body)

    async def _more(self, stream: trio.SocketStream) -> None:
        part = await stream.receive_some(256 * 1024)
        if not part:
            raise EOFError("the server closed the connection")
        self._read += part


class Asking(Struct, frozen=True):
    """Paths to be asked for in turn; with `shows_tag` as a client does that has the last answer."""

    paths: Sequence[str]
    shows_tag: bool = False


async def ask(clients: Sequence[KeepAlive], asking: Asking, seconds: float, times: Times) -> float:
    """Ask over all connections at once, as fast as the answers come; return the seconds that it took."""
    paths = cycle(asking.paths)
    began = perf_counter()
    async with trio.open_nursery() as nursery:
        for client in clients:
            nursery.start_soon(_ask, client, asking, paths, began + seconds, times)
    return perf_counter() - began


async def _ask(client: KeepAlive, asking: Asking, paths: Iterator[str], until: float, times: Times) -> None:
    tag: dict[str, str] = {}
    while True:
        path = next(paths)
        began = perf_counter()
        answer = await client.get(path, **tag)
        ended = perf_counter()
        times.seconds.append(ended - began)
        assert answer.status == 200 or (tag and answer.status == 304), f"{path}: {answer.status} {answer.body[:300]!r}"
        if "server-timing" in answer.headers:
            times.inside.append(float(answer.headers["server-timing"].rpartition("dur=")[2]) / 1000)
        if asking.shows_tag and "etag" in answer.headers:
            tag = {"If_None_Match": answer.headers["etag"]}
        if ended >= until:
            return


def _quantile(values: Sequence[float], share: float) -> float:
    return sorted(values)[round(share * (len(values) - 1))] if values else math.nan
