"""Subscribers that come and go, of a daemon that is killed under load: does each hear every stored event once?

python -m tests.faults.subscribers --kills 50 --seed 1
"""

from __future__ import annotations

import argparse
import json
import random
import sqlite3
import sys
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import trio
from msgspec import Struct
from trio_websocket import ConnectionClosed, HandshakeError, wrap_client_stream

from ccod.testing.waiting import eventually
from tests.e2e.daemon import Daemon, free_port, open_daemon
from tests.faults.crash import Transcript

SUBSCRIBERS = 20
FILES = 4
PATIENCE_SECONDS = 60
"""How long nobody may hear anything new before all is heard."""
STORED = "SELECT seq FROM events WHERE kind NOT LIKE 'project%' ORDER BY seq"


class Report(Struct):
    """What came of it. `early` are numbers that were heard and are not stored, `backwards` those that did not grow."""

    kills: int = 0
    events: int = 0
    connections: int = 0
    missed: int = 0
    early: int = 0
    backwards: int = 0
    heard_otherwise: int = 0

    @property
    def violations(self) -> int:
        return self.missed + self.early + self.backwards + self.heard_otherwise


class Subscriber(ABC):
    """Hears for a while, goes, and comes again after what it heard last."""

    def __init__(self, port: int, dice: random.Random) -> None:
        self.port = port
        self.dice = dice
        self.heard: list[int] = []
        self.connections = 0

    @property
    def last(self) -> int:
        return self.heard[-1] if self.heard else 0

    async def run(self) -> None:
        while True:
            try:
                with trio.move_on_after(self.dice.expovariate(1 / 3)):
                    await self.listen()
            except* (OSError, HandshakeError, ConnectionClosed, trio.BrokenResourceError):
                pass  # the daemon was killed, or is not there yet
            await trio.sleep(self.dice.uniform(0, 0.5))

    @abstractmethod
    async def listen(self) -> None:
        """Hear until the connection ends."""

    def take(self, text: str | bytes) -> None:
        message = json.loads(text)
        assert message["type"] != "error", message
        if message["type"] == "broadcast" and "seq" in message:
            self.heard.append(message["seq"])


class WebSocketSubscriber(Subscriber):
    async def listen(self) -> None:
        stream = await trio.open_tcp_stream("127.0.0.1", self.port)
        async with stream, trio.open_nursery() as nursery:
            ws = await wrap_client_stream(nursery, stream, f"127.0.0.1:{self.port}", "/ws")
            self.connections += 1
            await ws.send_message(json.dumps({"type": "subscribe", "channel": "conversations", "since": self.last}))
            while True:
                self.take(await ws.get_message())


class StreamSubscriber(Subscriber):
    async def listen(self) -> None:
        async with await trio.open_tcp_stream("127.0.0.1", self.port) as stream:
            host = f"Host: localhost:{self.port}"
            await stream.send_all(f"GET /api/events HTTP/1.0\r\n{host}\r\nLast-Event-ID: {self.last}\r\n\r\n".encode())
            self.connections += 1
            read = b""
            async for part in stream:
                *lines, read = (read + part).split(b"\n")
                for line in lines:
                    if line.startswith(b"data: "):
                        self.take(line[6:])


async def subscribers(home: Path, kills: int, seed: int, count: int = SUBSCRIBERS) -> Report:
    """Run the whole experiment on folders below `home`, with so many subscribers."""
    dice = random.Random(seed)
    port = free_port()
    tables = {"http": {"port": port, "host": "127.0.0.1"}}
    async with open_daemon(home, tables) as daemon, trio.open_nursery() as nursery:
        kinds = [WebSocketSubscriber, StreamSubscriber]
        everyone = [kinds[number % 2](port, random.Random(dice.random())) for number in range(count)]
        for one in everyone:
            nursery.start_soon(one.run)
        folder = daemon.home.root / "-home-dev-demo"
        folder.mkdir()
        transcripts = [Transcript(folder, dice) for _ in range(FILES)]
        transcripts[0].grow(1)  # what a first look finds is history, of which no message is told: that is over then
        transcripts[0].finish()  # not half a line
        await eventually(lambda: _all_read(daemon, 1), "the first message", 60)
        for _ in range(kills):
            with trio.move_on_after(dice.uniform(0, 2)):
                await _write(transcripts, dice)
            await daemon.kill()
            dice.choice(transcripts).grow(dice.randint(0, 20))
            await daemon.start()
        for transcript in transcripts:
            transcript.finish()
        report = await _compare(daemon, transcripts, everyone)
        report.kills = kills
        nursery.cancel_scope.cancel()
    return report


async def _write(transcripts: list[Transcript], dice: random.Random) -> None:
    while True:
        dice.choice(transcripts).grow(dice.randint(1, 5))
        await trio.sleep(dice.uniform(0, 0.02))


async def _compare(daemon: Daemon, transcripts: list[Transcript], everyone: list[Subscriber]) -> Report:
    """Wait until all is read, and compare what everyone has heard with what is stored."""
    lines = sum(len(transcript.uuids) for transcript in transcripts)
    await eventually(lambda: _all_read(daemon, lines), "end of the reading", 120)
    return await heard_of(lambda: _stored(daemon), everyone)


async def heard_of(stored: Callable[[], list[int]], everyone: Sequence[Subscriber]) -> Report:
    """Wait until all is told, and compare what everyone has heard with the numbers of what is stored."""
    last = stored()[-1]
    with trio.move_on_after(PATIENCE_SECONDS) as patience:
        while behind := [one for one in everyone if one.last < last]:
            before = sum(len(one.heard) for one in behind)
            await trio.sleep(1)
            if sum(len(one.heard) for one in behind) > before:
                patience.deadline = trio.current_time() + PATIENCE_SECONDS
    numbers = stored()
    report = Report(events=len(numbers), connections=sum(one.connections for one in everyone))
    for one in everyone:
        report.missed += len(set(numbers).difference(one.heard))
        report.early += len(set(one.heard).difference(numbers))
        report.backwards += sum(later <= sooner for sooner, later in zip(one.heard, one.heard[1:], strict=False))
        report.heard_otherwise += one.heard != numbers
    return report


async def _all_read(daemon: Daemon, lines: int) -> bool:
    with closing(sqlite3.connect(f"file:{daemon.home.database}?mode=ro", uri=True)) as connection:
        (count,) = connection.execute("SELECT count(*) FROM events WHERE kind = 'message_added'").fetchone()
    return bool(count >= lines)


def _stored(daemon: Daemon) -> list[int]:
    with closing(sqlite3.connect(f"file:{daemon.home.database}?mode=ro", uri=True)) as connection:
        return [seq for (seq,) in connection.execute(STORED)]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.subscribers", description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="ccod-subscribers-") as home:
        report = trio.run(subscribers, Path(home), arguments.kills, arguments.seed)
    print(json.dumps({name: getattr(report, name) for name in report.__struct_fields__}))
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main())
