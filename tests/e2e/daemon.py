"""A real `ccod serve` in a process of its own, that reads transcripts of Claude Code."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import trio
from trio_websocket import WebSocketConnection, wrap_client_stream

from ccod import testing
from ccod.testing.daemon import START_SECONDS, ending, http_client
from ccod.testing.waiting import limit
from tests.e2e.home import Home, Tables

CCOD = Path(sys.executable).with_name("ccod")


class Daemon(testing.Daemon):
    """A daemon with lists and a WebSocket; made by `open_daemon`."""

    def __init__(self, home: Home, client: httpx.AsyncClient) -> None:
        super().__init__(home, client)
        self.home: Home = home

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
    async with http_client() as client, ending(Daemon(Home(path, tables), client)) as daemon:
        if start:
            await daemon.start()
        yield daemon


def free_port() -> int:
    """Return a port that nobody holds: a daemon that takes any has another after each start."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])
