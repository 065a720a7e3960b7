"""A real `ccod serve` in a process of its own."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import httpx
import trio

from ccod.testing.home import MEASURED, Home
from ccod.testing.waiting import limit

CCOD = [sys.executable, "-c", "from ccod.cli import main; main()"]
START_SECONDS = 90.0
"""No measure of speed: a start is two seconds of work, and a machine that does much else may take its time for them."""
STOP_SECONDS = 15.0

D = TypeVar("D", bound="Daemon")


class Daemon:
    """A daemon that can be started, asked, killed and started again; see `ending`."""

    def __init__(self, home: Home, client: httpx.AsyncClient) -> None:
        self.home = home
        self.client = client
        self.url = ""
        self._process: trio.Process | None = None

    @property
    def process(self) -> trio.Process:
        assert self._process is not None, "the daemon was not started"
        return self._process

    @property
    def stderr(self) -> list[str]:
        """What the daemon has said since its start, line by line."""
        return self.home.log.read_text(errors="replace").splitlines() if self.home.log.exists() else []

    async def start(self, before: Sequence[str] = ()) -> None:
        """Start the process, with a command `before` it, and wait until it is ready."""
        await self.spawn(before)
        self.url = str((await self.logged("listening"))["url"]).rstrip("/")
        self.client.base_url = httpx.URL(self.url)
        await self.logged("ready")

    async def spawn(self, before: Sequence[str] = ()) -> None:
        """Start the process, and wait for nothing."""
        with self.home.log.open("wb") as log:
            self._process = await trio.lowlevel.open_process(
                [*before, *CCOD, "serve", "--config", str(self.home.config)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                cwd=self.home.path,
                env=self.home.environment,
            )

    async def logged(self, event: str) -> dict[str, Any]:
        """Wait until the daemon has logged `event`, and return its fields."""
        with limit(START_SECONDS, f"log line {event!r}"):
            while True:
                ended = self.process.returncode is not None
                for line in self.stderr:
                    if event in line and (fields := _fields(line)).get("event") == event:
                        return fields
                assert not ended, f"exit {self.process.returncode} without {event!r}; {self.report()}"
                await trio.sleep(0.01)

    async def get(self, path: str) -> Any:
        """GET a path of the API and return the whole JSON answer."""
        return json.loads(await self.read(path))

    async def read(self, path: str) -> bytes:
        """GET a path of the API and return the body of the answer."""
        answer = await self.client.get(self.url + path)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:500]}"
        return answer.content

    async def status(self, path: str, **headers: str) -> int:
        """GET a path and return the status of the answer."""
        return (await self.client.get(self.url + path, headers=headers)).status_code

    async def kill(self) -> None:
        """End the process as a power cut would."""
        self.process.kill()
        await self.wait()

    async def terminate(self) -> int:
        """Ask the process to stop, and return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return await self.wait()

    async def wait(self, seconds: float = STOP_SECONDS) -> int:
        """Wait until the process has ended, and return its exit code."""
        with limit(seconds, "exit"):
            return await self.process.wait()

    async def restart(self) -> None:
        await self.kill()
        await self.start()

    async def end(self) -> None:
        """Kill the process if it still runs."""
        if self._process is not None and self._process.returncode is None:
            with trio.CancelScope(shield=True):
                # What is killed writes nothing down of what it did.
                if MEASURED:  # pragma: no branch - where branches are counted it always is so
                    self.process.terminate()
                    with trio.move_on_after(STOP_SECONDS):
                        await self.process.wait()
                await self.kill()

    def report(self) -> str:
        """Return what the daemon said last, for the message of a failed test."""
        return "the daemon said:\n" + "\n".join(self.stderr[-40:])


@asynccontextmanager
async def http_client() -> AsyncIterator[httpx.AsyncClient]:
    """Open a client that goes straight to where it is sent, and takes a certificate that signed itself."""
    async with httpx.AsyncClient(trust_env=False, verify=False, timeout=20) as client:
        yield client


@asynccontextmanager
async def ending(daemon: D) -> AsyncIterator[D]:
    """End a daemon with the body; what it said is shown when the body fails."""
    try:
        yield daemon
    except Exception:
        print(daemon.report())
        raise
    finally:
        await daemon.end()


def _fields(line: str) -> dict[str, Any]:
    try:
        fields = json.loads(line)
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) else {}
