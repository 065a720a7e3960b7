"""SIGTERM ends the daemon in time, whatever its clients do."""

from __future__ import annotations

from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest
import trio
from trio_websocket import ConnectionClosed

from tests.e2e.daemon import Daemon
from tests.e2e.database import opened
from tests.e2e.lines import SESSION, line
from tests.e2e.stuck import connect, half_a_request, never_reading_websocket

GRACE_SECONDS = 5.0


async def test_it_stops_in_time_with_stuck_and_healthy_clients(daemon: Daemon) -> None:
    host = urlsplit(daemon.url).netloc.encode()
    with ExitStack() as stuck:
        stuck.enter_context(never_reading_websocket(daemon))
        stuck.enter_context(half_a_request(daemon))
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
