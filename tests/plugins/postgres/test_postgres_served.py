"""A daemon whose server goes away says so, answers what needs no server, and goes on by itself."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from ccod.testing.waiting import eventually
from tests.e2e.daemon import Daemon, open_daemon
from tests.e2e.lines import line
from tests.postgres import reason_to_skip, running

SESSION = "0b1e2f3a-4c5d-4e6f-8a9b-0c1d2e3f4a5c"


async def codes(daemon: Daemon) -> list[str]:
    return [each["code"] for each in (await daemon.get("/health"))["data"]["details"]["reasons"]]


async def test_lines_wait_until_the_server_is_there_again(tmp_path: Path) -> None:
    if reason := reason_to_skip():
        pytest.skip(reason)
    with running() as server:
        async with open_daemon(tmp_path, {"postgres": {"url": server.url(server.fresh())}}, start=False) as daemon:
            daemon.home.variables["CCOD_STORAGE"] = "postgres"
            transcript = daemon.home.root / "-home-dev-demo" / f"{SESSION}.jsonl"
            transcript.parent.mkdir()
            transcript.write_bytes(line("first", session=SESSION))
            await daemon.start()
            path = f"/api/conversations/{SESSION}/messages"
            await eventually(lambda: holds(daemon, path, 1), "first message", 20)
            server.stop(signal.SIGINT)
            with transcript.open("ab") as file:
                file.write(line("second", session=SESSION))
            await eventually(lambda: tells(daemon, ["STORAGE_AWAY"]), "reason", 20)
            assert await daemon.status("/api/conversations") == 503
            server.start()
            await eventually(lambda: holds(daemon, path, 2), "second message", 20)
            await eventually(lambda: tells(daemon, []), "health", 20)
            await daemon.terminate()
            assert not [said for said in daemon.stderr if "Traceback" in said or '"level":"error"' in said]


async def holds(daemon: Daemon, path: str, count: int) -> bool:
    return await daemon.status(path) == 200 and len((await daemon.get(path))["data"]) == count


async def tells(daemon: Daemon, wanted: list[str]) -> bool:
    return await codes(daemon) == wanted
