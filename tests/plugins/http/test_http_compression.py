"""What is worth it is sent compressed to who takes it so."""

from __future__ import annotations

import zlib

import httpx
import pytest
import zstandard

from tests.plugins.http.serving import Server


def unpacked(encoding: str | None, body: bytes) -> bytes:
    if encoding == "zstd":
        return zstandard.ZstdDecompressor().decompressobj().decompress(body)
    return zlib.decompress(body, wbits=31) if encoding == "gzip" else body


async def ask(server: Server, path: str, accept: str, method: str = "GET") -> tuple[httpx.Response, bytes]:
    """Return the answer, and its body as it was sent."""
    async with server.client(**{"Accept-Encoding": accept}) as client, client.stream(method, path) as answer:
        return answer, b"".join([part async for part in answer.aiter_raw()])


@pytest.mark.parametrize(
    ("accept", "encoding"),
    [
        ("gzip", "gzip"),
        ("zstd", "zstd"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip;q=1, zstd;q=0.5", "gzip"),
        ("gzip;q=0, zstd;q=0", None),
        ("gzip;q=0.5, identity;q=1", None),
        ("gzip;q=0.5, identity;q=0.1", "gzip"),
        ("*", "zstd"),
        ("*;q=0", None),
        ("zstd;q=0, *", "gzip"),
        ("identity", None),
        ("br", None),
        ("", None),
        ("gzip;q=nonsense", None),
    ],
)
async def test_the_client_chooses(server: Server, accept: str, encoding: str | None) -> None:
    for path in ("/count/a", "/parts"):
        answer, body = await ask(server, path, accept)
        assert answer.headers.get("Content-Encoding") == encoding
        assert "Accept-Encoding" in answer.headers["Vary"]
        plain = unpacked(encoding, body)
        assert plain.endswith((b"part 99 of many\n", b'x"}'))
        assert len(body) <= len(plain)
        assert path == "/parts" or int(answer.headers["Content-Length"]) == len(body)


@pytest.mark.parametrize("path", ["/health", "/token", "/big", "/nowhere"])
async def test_what_is_short_secret_or_no_text_is_sent_as_it_is(server: Server, path: str) -> None:
    answer, _ = await ask(server, path, "gzip, zstd")
    assert "Content-Encoding" not in answer.headers


async def test_a_head_is_not_compressed(server: Server) -> None:
    answer, body = await ask(server, "/count/a", "gzip", "HEAD")
    assert (answer.status_code, body) == (200, b"")
    assert "Content-Encoding" not in answer.headers


async def test_what_bears_a_secret_is_kept_by_nobody(server: Server) -> None:
    answer, _ = await ask(server, "/token", "gzip")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "ETag" not in answer.headers
