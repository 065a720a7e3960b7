"""Real daemons on one database: one collects, the other answers, and clients go from one to the other."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from ccod.testing.waiting import eventually
from tests.e2e.daemon import Daemon, open_daemon, run_ccod
from tests.e2e.lines import SESSION, line
from tests.plugins.postgres.conftest import NAME
from tests.postgres import Server, running

MESSAGES = f"/api/conversations/{SESSION}/messages"


@asynccontextmanager
async def member(home: Path, name: str, url: str, **claude: Any) -> AsyncIterator[Daemon]:
    tables = {"postgres": {"url": url, "folder": str(home / "files")}, "claude": claude, "jwt": {"sight": "all"}}
    async with open_daemon(home / name, tables, start=False) as daemon:
        daemon.home.variables |= {"CCOD_STORAGE": "postgres", "CCOD_MACHINE": name}
        await daemon.start()
        yield daemon


async def test_a_client_goes_on_at_another_node(server: Server, url: str, tmp_path: Path) -> None:
    async with member(tmp_path, "collector", url) as collector, member(tmp_path, "node", url, roots=[]) as node:
        transcript = collector.home.root / "-home-dev-demo" / f"{SESSION}.jsonl"
        transcript.parent.mkdir()
        ((epoch,),) = server.run("SELECT value FROM meta WHERE key = 'epoch'", NAME)
        heard: list[int] = []
        for number in range(20):
            with transcript.open("ab") as file:
                file.write(line(f"line {number}"))
            async with (node, collector)[number % 2].websocket() as listener:
                place = {"since": heard[-1] if heard else 0, "epoch": epoch}
                await listener.send({"type": "subscribe", "channel": "conversations", **place})
                while True:
                    told = await listener.next(lambda message: message["type"] in {"broadcast", "error"})
                    assert told["type"] == "broadcast", told
                    heard += [told["seq"]] if "seq" in told else []
                    if told["data"]["event"] == "message_added":
                        assert told["data"]["message"]["content"] == f"line {number}"
                        break
        stored = server.run("SELECT seq FROM events WHERE kind NOT LIKE 'project%' ORDER BY seq", NAME)
        assert heard == [seq for (seq,) in stored if seq <= heard[-1]]
        assert len((await node.get(f"{MESSAGES}?limit=100"))["data"]) == 20


async def test_a_start_without_the_server_ends_so_that_systemd_tries_again(tmp_path: Path) -> None:
    tables = {"postgres": {"url": "postgresql://ccod@/x?host=/nowhere", "patience": "0.1s"}}
    async with open_daemon(tmp_path, tables, start=False) as daemon:
        daemon.home.variables |= {"CCOD_STORAGE": "postgres"}
        code, said = await run_ccod(daemon.home, "serve", "--config", str(daemon.home.config))
    assert code == 69
    assert "start PostgreSQL" in said


async def test_a_collector_reads_what_was_written_while_the_server_was_away(tmp_path: Path) -> None:
    with running(fsync="on") as server:
        async with member(tmp_path, "collector", server.url()) as collector:
            transcript = collector.home.root / "-home-dev-demo" / f"{SESSION}.jsonl"
            transcript.parent.mkdir()
            transcript.write_bytes(line("first"))
            await eventually(lambda: holds(collector, 1), "first message")
            server.stop(signal.SIGQUIT)
            with transcript.open("ab") as file:
                file.write(b"".join(line(str(number)) for number in range(50)))
            await collector.kill()
            server.start()
            await collector.start()
            await eventually(lambda: holds(collector, 51), "all messages")


async def holds(daemon: Daemon, count: int) -> bool:
    path = f"{MESSAGES}?limit=100"
    return await daemon.status(path) == 200 and len((await daemon.get(path))["data"]) == count


pytestmark = pytest.mark.usefixtures("server")
