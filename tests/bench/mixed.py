"""What happens on a heavy user's day: sessions that append, clients that listen, requests at a steady rate."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from itertools import count, cycle
from pathlib import Path

import trio
from msgspec import Struct

from tests.bench.keepalive import KeepAlive, Times
from tests.e2e.lines import answer, line
from tests.faults.raw import RawSocket

MESSAGE = b'"event":"message_added"'
PING = b'{"type":"ping"'
CUT_OFF = (b'{"type":"lagged"', b'{"type":"error"')


class Tally(Struct):
    """What was done and what came of it. Each request, line and connection that failed has its words in `errors`."""

    requests: Times
    delivery: Times
    appended: int = 0
    heard: int = 0
    lagged: int = 0
    errors: list[str] = []

    @property
    def error_rate(self) -> float:
        return len(self.errors) / max(1, len(self.requests.seconds) + len(self.errors))


async def append(folder: Path, session: str, interval: float, tally: Tally) -> None:
    """Be a session: write a prompt or an answer each `interval` seconds."""
    with (folder / f"{session}.jsonl").open("ab", buffering=0) as file:
        for number in count():
            text = f"at {time.perf_counter():.6f} " + "what there is to say " * 20
            said = line(text, session=session) if number % 2 else answer(text, tool="Bash", session=session)
            file.write(said)
            tally.appended += 1
            await trio.sleep(interval)


async def listen(port: int, tally: Tally, *, times: bool, task_status: trio.TaskStatus[None]) -> None:
    """Be a WebSocket client, which answers pings; with `times` it says how long each message was under way."""
    client: RawSocket | None = None
    try:
        client = await RawSocket.subscribed(port, "conversations")
        task_status.started()
        while True:
            text = await client.text()
            if MESSAGE in text:
                tally.heard += 1
                if times:
                    tally.delivery.seconds.append(time.perf_counter() - _sent(text))
            elif text.startswith(PING):
                await client.say(json.dumps({"type": "pong", "timestamp": json.loads(text)["timestamp"]}))
            elif text.startswith(CUT_OFF):
                tally.lagged += 1
    except (EOFError, OSError, trio.BrokenResourceError, AssertionError) as error:
        tally.errors.append(f"WebSocket: {error!r}")
    finally:
        if client:
            await client.close()


async def ask(port: int, paths: Sequence[str], rate: float, connections: int, tally: Tally) -> None:
    """Ask `rate` times a second, on time whether or not the last answer has come, as long as a connection is free."""
    free, mine = trio.open_memory_channel[KeepAlive](connections)
    began = trio.current_time()
    async with AsyncExitStack() as stack, trio.open_nursery() as nursery:
        for _ in range(connections):
            free.send_nowait(await stack.enter_async_context(KeepAlive(port)))
        for number, path in zip(count(), cycle(paths)):
            await trio.sleep_until(began + number / rate)
            nursery.start_soon(_ask, await mine.receive(), free, path, began + number / rate, tally)


async def _ask(client: KeepAlive, free: trio.MemorySendChannel[KeepAlive], path: str, due: float, tally: Tally) -> None:
    """The wait for a free connection counts: it is what the caller would feel."""
    try:
        status = (await client.get(path)).status
        tally.requests.seconds.append(trio.current_time() - due)
        if status != 200:
            tally.errors.append(f"{path}: {status}")
    except (EOFError, OSError, trio.BrokenResourceError, trio.TooSlowError) as error:
        tally.errors.append(f"{path}: {error!r}")
    free.send_nowait(client)


def _sent(text: bytes) -> float:
    at = text.find(b"at ")
    return float(text[at + 3 :].split(b" ", 1)[0]) if at >= 0 else math.nan


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Return by how much the second value grows with the first: the line of least squares."""
    if len(points) < 2:
        return 0.0
    x0, y0 = (sum(values) / len(points) for values in zip(*points, strict=True))
    spread = sum((x - x0) ** 2 for x, _ in points)
    return sum((x - x0) * (y - y0) for x, y in points) / spread if spread else 0.0
