"""`ccod db vacuum` and `ccod db backup` beside a daemon that stores live lines: none is lost or waits long."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import trio

from ccod.testing.waiting import eventually, limit
from tests.e2e.daemon import CCOD, Daemon, open_daemon
from tests.e2e.database import opened
from tests.e2e.lines import SESSION, line

LARGE = "0b1e2f3a-4c5d-4e6f-8a9b-0c1d2e3f4a5d"
LONGEST_SECONDS = 5.0
"""A bound that holds on a machine that does much else; what was measured is printed."""


async def ccod_json(daemon: Daemon, *arguments: str) -> dict[str, Any]:
    with limit(60, f"exit of ccod {' '.join(arguments)}"):
        done = await trio.run_process(
            [str(CCOD), *arguments, "--json", "--config", str(daemon.home.config)],
            capture_stdout=True,
            capture_stderr=True,
            check=False,
            env=daemon.home.environment,
        )
    assert done.returncode == 0, done.stderr.decode()
    found: dict[str, Any] = json.loads(done.stdout)
    assert found.pop("schemaVersion") == 1
    return found


class Live:
    """Writes a line now and then, and notes for each how long it took until it was broadcast."""

    def __init__(self, daemon: Daemon, path: Path) -> None:
        self._daemon = daemon
        self._path = path
        self.written: dict[str, float] = {}
        self.waited: list[float] = []
        self.heard: list[str] = []

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Write meanwhile; return when all that was written has been heard."""
        async with self._daemon.websocket("conversations") as listener, trio.open_nursery() as nursery:
            writing = trio.CancelScope()

            async def write() -> None:
                with writing:
                    while True:
                        text = f"line {len(self.written)}"
                        self.written[text] = trio.current_time()
                        with self._path.open("ab") as file:
                            file.write(line(text))
                        await trio.sleep(0.01)

            async def hear() -> None:
                while True:
                    message = (await listener.event("message_added"))["message"]
                    if message["content"] in self.written:
                        self.heard.append(message["content"])
                        self.waited.append(trio.current_time() - self.written[message["content"]])

            nursery.start_soon(write)
            nursery.start_soon(hear)
            yield
            writing.cancel()
            with limit(20, "broadcast of all lines"):
                while len(self.heard) < len(self.written):
                    await trio.sleep(0.01)
            nursery.cancel_scope.cancel()


async def test_live_lines_pass_a_vacuum_and_a_backup(tmp_path: Path) -> None:
    socket = str(tmp_path / "ccod.sock")
    async with open_daemon(tmp_path, {"http": {"socket": socket}}) as daemon:
        folder = daemon.home.root / "-home-dev-demo"
        folder.mkdir()
        texts = [f"{number} " + "words of many kinds " * 50 + "\u00e9" * (number % 500) for number in range(1500)]
        (folder / f"{LARGE}.jsonl").write_bytes(b"".join(line(text, session=LARGE) for text in texts))
        await eventually(lambda: stored(daemon, len(texts)), "history", 60)
        transport = httpx.AsyncHTTPTransport(uds=socket)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=60) as owner:
            assert (await owner.delete(f"/api/conversations/{LARGE}")).status_code == 200
        live = Live(daemon, folder / f"{SESSION}.jsonl")
        async with live.running():
            done = await ccod_json(daemon, "db", "vacuum")
            backup = await ccod_json(daemon, "db", "backup", str(tmp_path / "copy.db"))
        print(f"{len(live.waited)} lines, the longest wait {max(live.waited):.3f} s; {done}")
        assert done["online"]
        assert done["after"] < done["before"] / 2
        assert live.heard == list(live.written)
        assert max(live.waited) < LONGEST_SECONDS
        assert stored_texts(daemon) == len(live.written)
    with opened(daemon.home, path=Path(backup["file"])) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def stored(daemon: Daemon, count: int) -> bool:
    if await daemon.status(f"/api/conversations/{LARGE}") != 200:
        return False
    answer = await daemon.get(f"/api/conversations/{LARGE}/messages?limit=1")
    found = (await daemon.get("/api/search?q=words&limit=1"))["data"]
    return bool(answer["pagination"]["total"] == count and found["indexed"] == 1)


def stored_texts(daemon: Daemon) -> int:
    query = "SELECT count(*) FROM entries e JOIN conversations c ON c.id = e.conversation_id WHERE c.key = ?"
    with opened(daemon.home) as database:
        return int(database.execute(query, (SESSION,)).fetchone()[0])
