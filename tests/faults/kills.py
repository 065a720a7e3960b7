"""Two ways to die: a process that is killed, and a database as a kill between two statements would leave it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from ccod_sql.storage import SqlStorage

START_SECONDS = 60


class Wreck:
    """What would be left of a database if the process were killed `after` so many statements, if it comes to that."""

    def __init__(self, database: Path, after: int) -> None:
        self._database = database
        self._left = after
        self._files: dict[Path, bytes] = {}

    def watch(self, storage: SqlStorage, killed: Callable[[], None]) -> None:
        """Count the statements of `storage`; call `killed` when the time has come."""
        if not self._left:
            return
        self._killed = killed
        connection = storage._database.writer.raw_connection()
        driver = connection.driver_connection
        assert driver is not None
        driver.set_trace_callback(self._note)
        connection.close()

    def _note(self, _statement: str) -> None:
        """Called in the writer's thread, which waits: nothing changes in the files meanwhile."""
        self._left -= 1
        if self._left == 0:
            names = [Path(f"{self._database}{suffix}") for suffix in ("", "-wal")]
            self._files = {path: path.read_bytes() for path in names if path.exists()}
            trio.from_thread.run_sync(self._killed)

    def lay_out(self) -> None:
        """Put the wreck where the database was, which nobody has open any more."""
        if not self._files:
            return
        for suffix in ("", "-wal", "-shm"):
            Path(f"{self._database}{suffix}").unlink(missing_ok=True)
        for path, content in self._files.items():
            path.write_bytes(content)


@asynccontextmanager
async def killed_in_the_end(folder: Path) -> AsyncIterator[None]:
    """Follow the transcripts of the house in `folder` in a process of its own, and kill that."""
    command = [sys.executable, "-m", "tests.faults.follower", str(folder)]
    root = Path(__file__).parents[2]
    process = await trio.lowlevel.open_process(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, cwd=root)
    assert process.stdout is not None
    async with process.stdout:
        try:
            with trio.fail_after(START_SECONDS):
                said = await process.stdout.receive_some()
            assert said.startswith(b"ready"), said.decode()
            yield
        finally:
            process.kill()
            with trio.CancelScope(shield=True):
                await process.wait()
