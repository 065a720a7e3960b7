"""Many clients hear everything: what that costs the hub, and a bare server of the same stack in the same run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from time import perf_counter

import trio
from msgspec import Struct

from tests.bench.process import cpu_seconds, rss
from tests.faults.raw import HANDSHAKE, RawSocket

CLIENTS = 100
MESSAGES = 2_000
SECONDS = 300


class Fanout(Struct):
    """Messages that reached a client, by second and by second of the server's processor time; memory by connection."""

    deliveries: int
    seconds: float
    cpu: float
    rss_per_connection: int

    @property
    def per_second(self) -> float:
        return self.deliveries / self.seconds

    @property
    def per_cpu_second(self) -> float:
        return self.deliveries / self.cpu


async def fanout(kind: str, clients: int = CLIENTS, messages: int = MESSAGES) -> Fanout:
    """Measure the server of a kind; see `fanout_server`."""
    process = await trio.lowlevel.open_process(
        [sys.executable, "-m", "tests.bench.fanout_server", kind],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=Path(__file__).parents[2],
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        with trio.fail_after(SECONDS):
            port = int(await process.stdout.receive_some())
            before = rss(process.pid)
            connected = [await _connect(port, kind) for _ in range(clients)]
            await trio.sleep(0.5)
            memory = (rss(process.pid) - before) // clients
            began, used = perf_counter(), cpu_seconds(process.pid)
            await process.stdin.send_all(f"go {messages}\n".encode())
            async with trio.open_nursery() as nursery:
                for client in connected:
                    nursery.start_soon(_listen, client, messages)
            seconds, cpu = perf_counter() - began, cpu_seconds(process.pid) - used
        for client in connected:
            await client.close()
        return Fanout(clients * messages, seconds, cpu, memory)
    finally:
        process.kill()
        with trio.CancelScope(shield=True):
            await process.wait()
            await process.stdin.aclose()
            await process.stdout.aclose()


async def _connect(port: int, kind: str) -> RawSocket:
    if kind == "hub":
        return await RawSocket.subscribed(port, "bench")
    client = await RawSocket.connect(port)
    await client.send(HANDSHAKE.format(path="/ws", port=port).encode())
    await client.until(b"\r\n\r\n")
    await client.text()
    return client


async def _listen(client: RawSocket, messages: int) -> None:
    """Read until the last message, without looking at each: it is the server that is measured."""
    await client.skip_until(f'"number":{messages - 1},'.encode(), f'"number": {messages - 1},'.encode())
