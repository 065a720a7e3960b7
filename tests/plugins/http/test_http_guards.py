"""Hypercorn's faults, each provoked over a real socket: the server lives, and serves others meanwhile."""

from __future__ import annotations

import json
import re
import socket
import struct
import zlib

import hypercorn.trio.run
import pytest
import trio

from ccod import PluginError
from ccod_http.guards import GuardedConfig, install
from ccod_http.socketguards import MAX_MESSAGE
from tests.plugins.http.serving import Server, read_all, serving

UPGRADE = (
    b"GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
HEALTH = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
NON_ASCII_PATH = bytes([0x82, 0x86, 0x84, 0x04, 0x02]) + b"/\xff"  # HPACK: GET, http, and a literal :path

HOSTILE = {
    "a byte behind an upgrade": (UPGRADE % b"/echo" + b"\r\nx",),
    "a byte soon after an upgrade": (UPGRADE % b"/echo" + b"\r\n", b"\xff\xff\xff"),
    "an upgrade with a body": (UPGRADE % b"/echo" + b"Content-Length: 3\r\n\r\nabc",),
    "an upgrade with a chunked body": (UPGRADE % b"/echo" + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",),
    "an upgrade with a body where there is no WebSocket": (UPGRADE % b"/health" + b"Content-Length: 3\r\n\r\nabc",),
    "a subprotocol that is not ASCII": (UPGRADE % b"/echo" + b"Sec-WebSocket-Protocol: \xff\xfe\r\n\r\n",),
    "an extension that is not ASCII": (UPGRADE % b"/echo" + b"Sec-WebSocket-Extensions: \xff\r\n\r\n",),
    "an extension with a parameter that is no number": (
        UPGRADE % b"/echo" + b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=x\r\n\r\n",
        b"\xff\xff\xff",
    ),
    "HTTP/2 by prior knowledge": (
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00",
        len(NON_ASCII_PATH).to_bytes(3, "big") + b"\x01\x05\x00\x00\x00\x01" + NON_ASCII_PATH,
    ),
    "a version of the future": (b"GET / HTTP/3.0\r\nHost: localhost\r\n\r\n",),
    "no HTTP at all": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",),
    "headers without end": (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 40_000,),
    "two lengths": (b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",),
    "a length that is no number": (b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",),
    "two hosts": (b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",),
    "no host": (b"GET / HTTP/1.1\r\n\r\n",),
    "a handshake without a key": (
        b"GET /echo HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    ),
}


@pytest.mark.parametrize("parts", HOSTILE.values(), ids=HOSTILE)
async def test_hostile_bytes_end_only_their_own_connection(server: Server, parts: tuple[bytes, ...]) -> None:
    async with server.client() as client:
        answer = await server.say(*parts)
        assert answer.startswith((b"HTTP/1.1 4", b"HTTP/1.1 505", b"HTTP/1.1 101"))
        assert (await client.get("/health")).status_code == 200


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("HTTP/2 by prior knowledge", 505),
        ("a byte behind an upgrade", 400),
        ("a subprotocol that is not ASCII", 400),
        ("a handshake without a key", 400),
        ("headers without end", 431),
    ],
)
async def test_refusals_below_the_application_bear_the_envelope(server: Server, name: str, status: int) -> None:
    head, _, body = (await server.say(*HOSTILE[name])).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d" % status)
    assert b"application/problem+json" in head
    assert b"\r\nserver:" not in head.lower()
    problem = json.loads(body)
    assert (problem["success"], problem["status"]) == (False, status)
    assert problem["requestId"].encode() in head


async def test_an_offer_of_http2_is_passed_over(server: Server) -> None:
    request = (
        b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings, close\r\n"
        b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n\r\n"
    )
    assert (await server.say(request)).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("pause", [0.0, 0.005])
async def test_a_body_that_comes_after_its_answer_leaves_the_connection_usable(server: Server, pause: float) -> None:
    for _ in range(20):
        async with await server.connect() as stream:
            await stream.send_all(b"PUT /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\n")
            await trio.sleep(pause)
            await stream.send_all(b"body")
            assert (await answer_of(stream)).startswith(b"HTTP/1.1 405")
            await stream.send_all(HEALTH)
            assert (await answer_of(stream)).startswith(b"HTTP/1.1 200")


async def answer_of(stream: trio.SocketStream) -> bytes:
    """Return one answer whose length is stated."""
    answer = b""
    with trio.fail_after(5):
        while True:
            head, _, body = answer.partition(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", head.lower())
            if length and len(body) == int(length[1]):
                return answer
            part = await stream.receive_some()
            assert part, "the server closed the connection"
            answer += part


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_that_is_too_long_is_read_and_refused(chunked: bool) -> None:
    async def chunks() -> object:
        for _ in range(4):
            yield b"x" * 1000

    async with serving(max_body=1000) as server, server.client() as client:
        response = await client.post("/health", content=chunks() if chunked else b"x" * 4000)  # type: ignore[arg-type]
        assert (response.status_code, response.json()["error"]["code"]) == (413, "PAYLOAD_TOO_LARGE")
        assert (await client.get("/health")).status_code == 200


@pytest.mark.parametrize(
    "request_line",
    [b"GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n", UPGRADE % b"/flood" + b"\r\n"],
    ids=["answer", "websocket"],
)
async def test_a_reader_that_reads_nothing_does_not_keep_the_server_from_stopping(
    request_line: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(GuardedConfig, "graceful_timeout", 0.2)
    async with serving() as server, await server.connect() as stuck:
        await stuck.send_all(request_line)
        await stuck.receive_some(10)
        server.stopping.set()
        with trio.fail_after(10):
            await server.stopped.wait()


async def test_who_is_gone_before_its_answers_are_written_leaves_nothing_behind(server: Server) -> None:
    """Hypercorn waits for ever to read on behind a request whose answer could not be written."""
    before = handlers()
    for _ in range(5):
        async with await server.connect() as stream:
            await stream.send_all(b"GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n" + HEALTH)
            await stream.receive_some(1)
            stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with trio.fail_after(20):
        while handlers() > before:
            await trio.sleep(0.05)


def handlers() -> int:
    """Return how many connections are being served in this process."""
    root = trio.lowlevel.current_root_task()
    waiting = [root] if root else []
    count = 0
    while waiting:
        task = waiting.pop()
        count += task.name.endswith("_run_handler")
        waiting += [child for nursery in task.child_nurseries for child in nursery.child_tasks]
    return count


async def test_the_server_stops_at_once_when_nobody_is_there() -> None:
    async with serving() as server, server.client() as client:
        assert (await client.get("/health")).status_code == 200
        server.stopping.set()
        with trio.fail_after(GuardedConfig.graceful_timeout):
            await server.stopped.wait()


async def test_a_write_that_gets_nowhere_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GuardedConfig, "write_seconds", 0.2)
    async with serving() as server, await server.connect() as stuck:
        await stuck.send_all(UPGRADE % b"/flood" + b"\r\n")
        with trio.fail_after(10):
            while server.connections():
                await trio.sleep(0.05)


def frame(first_byte: int, payload: bytes) -> bytes:
    """Return a WebSocket frame of a client, masked with zeros."""
    size = len(payload)
    if size < 126:
        length = bytes([0x80 | size])
    elif size < 65_536:
        length = b"\xfe" + size.to_bytes(2, "big")
    else:
        length = b"\xff" + size.to_bytes(8, "big")
    return bytes([first_byte]) + length + bytes(4) + payload


async def test_a_message_that_is_too_long_is_refused_and_the_connection_closed(server: Server) -> None:
    longest = "é".encode() * (MAX_MESSAGE // 2)
    async with await server.connect() as stream:
        await stream.send_all(UPGRADE % b"/echo" + b"\r\n")
        await stream.receive_some()
        await stream.send_all(frame(0x81, longest))
        echo = b""
        with trio.fail_after(5):
            while not echo.endswith(longest):
                echo += await stream.receive_some()
        await stream.send_all(frame(0x81, longest + b"!"))
        assert await read_all(stream) == b"\x88\x02" + (1009).to_bytes(2, "big")


async def test_a_message_that_inflates_without_bound_is_refused(server: Server) -> None:
    def deflated(size: int) -> bytes:
        deflate = zlib.compressobj(9, wbits=-15)
        return frame(0xC2, (deflate.compress(bytes(size)) + deflate.flush(zlib.Z_SYNC_FLUSH))[:-4])

    async with await server.connect() as stream:
        await stream.send_all(UPGRADE % b"/echo" + b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n")
        head = await stream.receive_some()
        assert b"client_no_context_takeover" in head
        assert b"server_no_context_takeover" in head
        await stream.send_all(deflated(MAX_MESSAGE))
        assert (await stream.receive_some()).startswith(b"\xc2")
        await stream.send_all(deflated(64 * 1024 * 1024))
        assert b"\xc2" not in await read_all(stream)


async def test_an_unfit_hypercorn_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(hypercorn.trio.run, "TCPServer")
    with pytest.raises(PluginError, match=r"Hypercorn [\d.]+ does not fit .*TCPServer.*; install"):
        install()
