"""A real `ccod serve` in a process of its own."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import trio
from trio_websocket import WebSocketConnection, wrap_client_stream

from tests.e2e.home import Home, Tables
from tests.e2e.waiting import limit

CCOD = Path(sys.executable).with_name("ccod")
START_SECONDS = 30.0
STOP_SECONDS = 15.0


class Daemon:
    """A daemon that can be started, asked, killed and started again; made by `open_daemon`."""

    def __init__(self, home: Home, client: httpx.AsyncClient) -> None:
        self.home = home
        self.url = ""
        self._client = client
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
        await self.logged("ready")

    async def spawn(self, before: Sequence[str] = ()) -> None:
        """Start the process, and wait for nothing."""
        with self.home.log.open("wb") as log:
            self._process = await trio.lowlevel.open_process(
                [*before, str(CCOD), "serve", "--config", str(self.home.config)],
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
                for fields in map(_fields, self.stderr):
                    if fields.get("event") == event:
                        return fields
                assert not ended, f"exit {self.process.returncode} without {event!r}; {self.report()}"
                await trio.sleep(0.005)

    async def get(self, path: str) -> Any:
        """GET a path of the API and return the whole JSON answer."""
        return json.loads(await self.read(path))

    async def read(self, path: str) -> bytes:
        """GET a path of the API and return the body of the answer."""
        answer = await self._client.get(self.url + path)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:500]}"
        return answer.content

    async def status(self, path: str, **headers: str) -> int:
        """GET a path and return the status of the answer."""
        return (await self._client.get(self.url + path, headers=headers)).status_code

    async def items(self, path: str) -> list[dict[str, Any]]:
        """GET every page of a list."""
        found: list[dict[str, Any]] = []
        more, page = True, 0
        while more:
            page += 1
            answer = await self.get(f"{path}?limit=100&page={page}")
            found += answer["data"]
            more = answer["pagination"]["hasNext"]
        return found

    @asynccontextmanager
    async def websocket(self, *channels: str) -> AsyncIterator[Listener]:
        """Connect, and subscribe to `channels`."""
        server = urlsplit(self.url)
        stream = await trio.open_tcp_stream("127.0.0.1", server.port or 80)
        async with stream, trio.open_nursery() as nursery:
            connection = await wrap_client_stream(nursery, stream, server.netloc, "/ws")
            listener = Listener(connection)
            await listener.next(lambda message: message["type"] == "welcome")
            for channel in channels:
                await listener.send({"type": "subscribe", "channel": channel})
                await listener.next(lambda message: message["type"] == "subscribed")
            yield listener
            await connection.aclose()

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
                await self.kill()

    def report(self) -> str:
        """Return what the daemon said last, for the message of a failed test."""
        return "the daemon said:\n" + "\n".join(self.stderr[-40:])


async def run_ccod(home: Home, *arguments: str, **environment: str) -> tuple[int, str]:
    """Run a command that should end by itself; return its exit code and what it said on stderr."""
    with limit(START_SECONDS, f"exit of ccod {' '.join(arguments)}"):
        done = await trio.run_process(
            [str(CCOD), *arguments],
            stdin=subprocess.DEVNULL,
            capture_stdout=True,
            capture_stderr=True,
            check=False,
            cwd=home.path,
            env=home.environment | environment,
        )
    return done.returncode, done.stderr.decode()


class Listener:
    """A WebSocket client that reads what the daemon broadcasts."""

    def __init__(self, connection: WebSocketConnection) -> None:
        self.connection = connection

    async def send(self, message: Mapping[str, Any]) -> None:
        await self.connection.send_message(json.dumps(message))

    async def next(self, wanted: Callable[[dict[str, Any]], bool], seconds: float = 20) -> dict[str, Any]:
        """Return the next message that is `wanted`; the others are passed over, and pings answered."""
        with limit(seconds, "such WebSocket message"):
            while True:
                message: dict[str, Any] = json.loads(await self.connection.get_message())
                if message["type"] == "ping":
                    await self.send({"type": "pong", "timestamp": message["timestamp"]})
                if wanted(message):
                    return message

    async def event(self, name: str, seconds: float = 20) -> dict[str, Any]:
        """Return the data of the next broadcast of an event."""
        message = await self.next(lambda m: m["type"] == "broadcast" and m["data"]["event"] == name, seconds)
        data: dict[str, Any] = message["data"]
        return data


@asynccontextmanager
async def open_daemon(path: Path, tables: Tables | None = None, *, start: bool = True) -> AsyncIterator[Daemon]:
    """Run a daemon on folders below `path`; `tables` are settings of its configuration file."""
    async with httpx.AsyncClient(trust_env=False, verify=False, timeout=20) as client:
        daemon = Daemon(Home(path, tables), client)
        try:
            if start:
                await daemon.start()
            yield daemon
        except Exception:
            print(daemon.report())
            raise
        finally:
            await daemon.end()


def free_port() -> int:
    """Return a port that nobody holds: a daemon that takes any has another after each start."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])


def _fields(line: str) -> dict[str, Any]:
    try:
        fields = json.loads(line)
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) else {}
