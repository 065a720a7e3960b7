"""From an append to a transcript to its message at a WebSocket."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from uuid import uuid4

import trio
from msgspec import Struct

from tests.e2e.daemon import Daemon, Listener
from tests.e2e.lines import line

LOST_SECONDS = 10.0


class Latency(Struct):
    """Seconds from append to message, and how many of the appends have come."""

    appended: int
    heard: int
    p50: float
    p99: float
    worst: float


async def measure(daemon: Daemon, interval: float, going_on: Callable[[int], bool]) -> Latency:
    """Append a line each `interval` seconds, whether or not the last has come, as long as `going_on(appended)`."""
    path = daemon.home.root / "-home-dev-live" / f"{uuid4()}.jsonl"
    path.parent.mkdir(exist_ok=True)
    appended: dict[str, float] = {}
    seconds: list[float] = []
    async with daemon.websocket("conversations") as listener, trio.open_nursery() as nursery:
        _append(path, "warm-up")
        await listener.event("message_added", LOST_SECONDS)
        nursery.start_soon(_listen, listener, appended, seconds)
        while not appended or going_on(len(appended)):
            text = f"live {len(appended)} " + "x" * 1000
            appended[text] = perf_counter()
            _append(path, text)
            await trio.sleep(interval)
        with trio.move_on_after(LOST_SECONDS):
            while len(seconds) < len(appended):
                await trio.sleep(interval)
        nursery.cancel_scope.cancel()
    return _summary(len(appended), sorted(seconds))


async def _listen(listener: Listener, appended: dict[str, float], seconds: list[float]) -> None:
    while True:
        data = await listener.event("message_added", math.inf)
        came = perf_counter()
        began = appended.get(data["message"]["content"])
        if began is not None:
            seconds.append(came - began)


def _append(path: Path, text: str) -> None:
    data = line(text, session=path.stem)
    with path.open("ab", buffering=0) as file:
        file.write(data)


def _summary(appended: int, seconds: list[float]) -> Latency:
    def quantile(share: float) -> float:
        return seconds[int(share * (len(seconds) - 1))] if seconds else math.nan

    return Latency(appended, len(seconds), quantile(0.5), quantile(0.99), quantile(1))
