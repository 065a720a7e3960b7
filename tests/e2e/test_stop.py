"""SIGTERM ends the daemon in time, whatever its clients do."""

from __future__ import annotations

import json
import socket
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest
import trio
from trio_websocket import ConnectionClosed

from tests.e2e.daemon import Daemon
from tests.e2e.database import opened
from tests.e2e.lines import SESSION, line

GRACE_SECONDS = 5.0


def connect(daemon: Daemon) -> socket.socket:
    client = socket.socket(socket.AF_INET)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.settimeout(5)
    client.connect(("127.0.0.1", urlsplit(daemon.url).port))
    return client


def never_reading_websocket(daemon: Daemon) -> socket.socket:
    """Subscribe by hand, and never read again."""
    client = connect(daemon)
    headers = {
        "Host": urlsplit(daemon.url).netloc,
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    client.sendall(b"GET /ws HTTP/1.1\r\n" + b"".join(f"{k}: {v}\r\n".encode() for k, v in headers.items()) + b"\r\n")
    assert b" 101 " in client.recv(4096).split(b"\r\n")[0]
    text = json.dumps({"type": "subscribe", "channel": "conversations"}).encode()
    client.sendall(bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text)
    return client


def half_a_request(daemon: Daemon, data: bytes) -> socket.socket:
    client = connect(daemon)
    client.sendall(data)
    return client


async def test_it_stops_in_time_with_stuck_and_healthy_clients(daemon: Daemon) -> None:
    host = urlsplit(daemon.url).netloc.encode()
    with ExitStack() as stuck:
        stuck.enter_context(never_reading_websocket(daemon))
        stuck.enter_context(half_a_request(daemon, b"GET /health HTT"))
        body = b"POST /api/projects HTTP/1.1\r\nHost: " + host + b"\r\nContent-Length: 1000\r\n\r\n{"
        stuck.enter_context(half_a_request(daemon, body))
        stuck.enter_context(connect(daemon))
        async with daemon.websocket("conversations") as healthy:
            path = daemon.home.root / "-home-dev-demo" / f"{SESSION}.jsonl"
            path.parent.mkdir()
            path.write_bytes(b"".join(line(f"{n} " + "x" * 200_000) for n in range(30)))
            await healthy.next(lambda m: str(m.get("data", {}).get("message", {}).get("content")).startswith("29 "))

            began = trio.current_time()
            daemon.process.terminate()
            with pytest.raises(ConnectionClosed) as closed:
                await healthy.next(lambda m: False, seconds=GRACE_SECONDS)
            assert closed.value.reason is not None
            assert closed.value.reason.code == 1001
        assert await daemon.wait(GRACE_SECONDS - (trio.current_time() - began)) == 0
    assert "Traceback" not in "\n".join(daemon.stderr)


async def test_it_stops_in_time_while_another_program_holds_the_database(daemon: Daemon) -> None:
    with opened(daemon.home, mode="rw") as other:
        other.execute("BEGIN IMMEDIATE")
        path = daemon.home.root / "-home-dev-demo" / f"{SESSION}.jsonl"
        path.parent.mkdir()
        path.write_bytes(line("waits"))
        async with daemon.websocket("system") as watcher:
            await watcher.next(lambda message: message.get("data", {}).get("status") == "degraded")
        daemon.process.terminate()
        assert await daemon.wait(GRACE_SECONDS) == 0


async def test_it_stops_in_time_when_nobody_is_there(daemon: Daemon) -> None:
    daemon.process.terminate()
    assert await daemon.wait(GRACE_SECONDS) == 0
