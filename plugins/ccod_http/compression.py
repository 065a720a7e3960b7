"""Answers are sent compressed to who can read them so."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Protocol

import trio
import zstandard
from quart import Quart, Response, request
from quart.wrappers.response import DataBody, IterableBody, ResponseBody

from ccod_http.table import Table

LEAST = 1024
"""Fewer bytes fit into one packet anyway."""

IN_PLACE = 16 * 1024
"""More bytes than these are compressed in a thread: they take a millisecond and more."""

_TEXTS = ("text/", "application/json", "application/problem+json", "application/x-ndjson", "image/svg+xml")

_LIVE = "text/event-stream"
"""Its parts must arrive when they are made, and a compressor waits for more."""


class Compressor(Protocol):
    def compress(self, data: bytes, /) -> bytes: ...

    def flush(self) -> bytes: ...


_MAKERS: Mapping[str, Callable[[], Compressor]] = {
    "zstd": lambda: zstandard.ZstdCompressor(level=3).compressobj(),
    "gzip": lambda: zlib.compressobj(level=5, wbits=31),
}
"""The best first."""


class Compression:
    """Compresses text, but never an answer that bears a secret: its length would tell of it."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def install(self, app: Quart) -> None:
        app.after_request(self.compress)

    async def compress(self, response: Response) -> Response:
        kind = response.mimetype or ""
        if not kind.startswith(_TEXTS) or kind == _LIVE or response.status_code in {204, 304}:
            return response
        response.vary.add("Accept-Encoding")
        encoding = _wanted()
        if encoding is None or request.method == "HEAD" or self._table.bears_secret():
            return response
        body = response.response
        if isinstance(body, DataBody):
            if len(body.data) < LEAST:
                return response
            response.set_data(await _whole(body.data, _MAKERS[encoding]()))
        else:
            response.response = IterableBody(_in_parts(body, _MAKERS[encoding]()))
            response.headers.pop("Content-Length", None)
        response.headers["Content-Encoding"] = encoding
        return response


def _wanted() -> str | None:
    """Return the encoding that the client likes best of those known here, None if it likes none better."""
    accepted = request.accept_encodings
    if not accepted:
        return None
    best = max(_MAKERS, key=accepted.quality)
    plain = accepted.quality("identity") if "identity" in accepted.values() else 0
    return best if accepted.quality(best) > 0 and accepted.quality(best) >= plain else None


async def _whole(data: bytes, compressor: Compressor) -> bytes:
    def work() -> bytes:
        return compressor.compress(data) + compressor.flush()

    return work() if len(data) <= IN_PLACE else await trio.to_thread.run_sync(work)


async def _in_parts(body: ResponseBody, compressor: Compressor) -> AsyncIterator[bytes]:
    async with body as parts:
        async for part in parts:
            if packed := await trio.to_thread.run_sync(compressor.compress, part):
                yield packed
    yield compressor.flush()
