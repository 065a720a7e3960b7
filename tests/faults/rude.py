"""Handshakes and frames that no well-meant client sends: does one of them end the server, or leave a task behind?

python -m tests.faults.rude --frames 50000 --seed 1
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress

import structlog
import trio
from msgspec import Struct

from tests.faults.raw import HANDSHAKE, RawSocket, frame
from tests.plugins.ws.house import House, open_house

AT_ONCE = 20
FRAMES_PER_CONNECTION = 50
SECONDS = 60
SETTLE_SECONDS = 60

KEYS = ["AAAAAAAAAAAAAAAAAAAAAA=="] * 20 + ["", "x", "A" * 500, "ÿÿ"]
VERSIONS = ["13"] * 20 + ["0", "12", "13, 8", "", "x"]
PATHS = ["/ws"] * 20 + [
    "/ws?",
    "/ws?ticket=x",
    "/ws?token=x",
    "/ws/",
    "/nowhere",
    "/%2e%2e/ws",
    "*",
    "/ws?" + "a" * 3000,
]
EXTENSIONS = [
    "permessage-deflate",
    "permessage-deflate; server_max_window_bits=99",
    "permessage-deflate; client_max_window_bits=x",
    "permessage-deflate; server_no_context_takeover; client_max_window_bits=9",
    "x-webkit-deflate-frame, ;;;=,",
    "permessage-deflate, " * 200,
]
EXTRAS = [
    "Content-Length: 5\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Origin: null\r\n",
    "Origin: http://evil.example\r\n",
    "Sec-WebSocket-Protocol: bearer.x, bearer.y\r\n",
    "Sec-WebSocket-Protocol: " + ", ".join(map(str, range(500))) + "\r\n",
    "Sec-WebSocket-Protocol: ÿ\r\n",
    "Authorization: Basic x\r\n",
    "X-Forwarded-For: 1.2.3.4\r\n",
    "Upgrade: h2c\r\n",
    "Connection: close\r\n",
    " folded\r\n",
    "NoColon\r\n",
]
TEXTS = [
    '{"type":"ping"}',
    '{"type":"subscribe","channel":"conversations","since":0}',
    '{"type":"subscribe","channel":"files","filter":{"projectId":[]}}',
    '{"type":"unsubscribe","channel":"files"}',
    '{"type":"pong","timestamp":1e400}',
    '{"type":"subscribe","channel":"conversations","since":-99999999999999999999}',
    '{"type":"subscribe","channel":"conversations","since":"0000-00-00"}',
    "[" * 30_000,
    "null",
    "",
]
OPCODES = [0x81, 0x81, 0x81, 0x82, 0x01, 0x80, 0x00, 0x88, 0x89, 0x8A, 0x83, 0x8F, 0xC1, 0xF1, 0x09, 0x08]


class Report(Struct):
    """What came of it. `tasks` are those that were left when every client had gone."""

    handshakes: int = 0
    accepted: int = 0
    frames: int = 0
    connections: int = 0
    exits: int = 0
    tasks: int = 0

    @property
    def violations(self) -> int:
        return self.exits + self.tasks


async def rude(handshakes: int, frames: int, seed: int) -> Report:
    """Run the whole experiment on a server in this process."""
    dice = random.Random(seed)
    report = Report()
    async with open_house() as house:
        before = _tasks()
        await _until(lambda: report.handshakes >= handshakes, lambda: _handshake(house, dice, report))
        await _until(lambda: report.frames >= frames, lambda: _talk(house, dice, report))
        try:
            await _greet(house)
        except (OSError, EOFError, AssertionError, trio.TooSlowError):
            report.exits += 1
        with trio.move_on_after(SETTLE_SECONDS):
            while len(_tasks()) > len(before) or house.hub.guests:
                await trio.sleep(0.05)
        report.tasks = max(0, len(_tasks()) - len(before)) + len(house.hub.guests)
    return report


async def _until(done: Callable[[], bool], work: Callable[[], Awaitable[None]]) -> None:
    """Do something again and again, some of it at once."""

    async def one() -> None:
        while not done():
            with suppress(OSError, EOFError, trio.BrokenResourceError), trio.move_on_after(SECONDS):
                await work()

    async with trio.open_nursery() as nursery:
        for _ in range(AT_ONCE):
            nursery.start_soon(one)


async def _greet(house: House) -> None:
    """See that a well-behaved client is served."""
    client = await RawSocket.subscribed(house.port, "files")
    with trio.fail_after(SECONDS):
        await client.say('{"type":"ping"}')
        while not (await client.text()).startswith(b'{"type":"pong"'):
            pass
    await client.close()


async def _handshake(house: House, dice: random.Random, report: Report) -> None:
    report.handshakes += 1
    client = await RawSocket.connect(house.port)
    try:
        await client.send(_request(house.port, dice))
        if dice.random() < 0.8:
            with trio.move_on_after(5):
                accepted = b" 101 " in await client.until(b"\r\n")
                report.accepted += accepted
    finally:
        with trio.CancelScope(shield=True):
            await client.close()


def _request(port: int, dice: random.Random) -> bytes:
    if dice.random() < 0.1:
        return dice.randbytes(dice.randint(0, 400))
    method, version = dice.choice(["GET"] * 20 + ["POST", "get"]), dice.choice(["1.1"] * 20 + ["1.0", "2", "0.9"])
    lines = [f"{method} {dice.choice(PATHS)} HTTP/{version}"]
    lines.append(f"Host: {dice.choice(['localhost', '127.0.0.1'] * 9 + ['evil.example', ''])}:{port}")
    lines += [f"Connection: {dice.choice(['Upgrade', 'keep-alive, Upgrade'] * 9 + ['close'])}", "Upgrade: websocket"]
    lines += [f"Sec-WebSocket-Version: {dice.choice(VERSIONS)}", f"Sec-WebSocket-Key: {dice.choice(KEYS)}"]
    if dice.random() < 0.5:
        lines.append(f"Sec-WebSocket-Extensions: {dice.choice(EXTENSIONS)}")
    text = "\r\n".join(lines) + "\r\n" + (dice.choice(EXTRAS) if dice.random() < 0.3 else "") + "\r\n"
    data = text.encode("utf-8" if dice.random() < 0.5 else "latin-1")
    data = data[: dice.randint(1, len(data))] if dice.random() < 0.1 else data
    return data + (dice.randbytes(dice.randint(1, 50)) if dice.random() < 0.2 else b"")


async def _talk(house: House, dice: random.Random, report: Report) -> None:
    report.connections += 1
    client = await RawSocket.connect(house.port)
    try:
        extension = f"Sec-WebSocket-Extensions: {dice.choice(EXTENSIONS)}\r\n" if dice.random() < 0.5 else ""
        asked = HANDSHAKE.format(path="/ws", port=house.port)
        await client.send((asked[:-2] + extension + "\r\n").encode())
        async with trio.open_nursery() as nursery:
            nursery.start_soon(client.rest)
            with suppress(trio.BrokenResourceError):
                for each in _frames(dice):
                    report.frames += 1
                    await client.send(each)
            nursery.cancel_scope.deadline = trio.current_time() + dice.choice([0, 0.01, 0.2])
    finally:
        with trio.CancelScope(shield=True):
            await client.close()


def _frames(dice: random.Random) -> Iterator[bytes]:
    for _ in range(FRAMES_PER_CONNECTION):
        kind = dice.random()
        if kind < 0.4:
            yield frame(0x81, dice.choice(TEXTS).encode())
        elif kind < 0.8:
            yield frame(
                dice.choice(OPCODES), dice.randbytes(dice.choice([0, 1, 2, 125, 126, 1000])), masked=kind < 0.75
            )
        elif kind < 0.9:
            yield frame(0x88, dice.choice([b"", b"\x03", b"\x03\xe8", b"\x03\xe7x", b"\xff\xff", b"\x03\xe8\xff"]))
        elif kind < 0.95:
            yield frame(0x81, dice.choice(TEXTS).encode())[: dice.randint(1, 6)]
        else:
            yield bytes((dice.choice(OPCODES), 0xFF)) + dice.randbytes(8)  # a length beyond all bounds


def _tasks() -> list[trio.lowlevel.Task]:
    """Return all tasks of this run."""
    found: list[trio.lowlevel.Task] = []
    root = trio.lowlevel.current_root_task()
    waiting = [root] if root else []
    while waiting:
        task = waiting.pop()
        found.append(task)
        for nursery in task.child_nurseries:
            waiting += nursery.child_tasks
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.rude", description=__doc__)
    parser.add_argument("--frames", type=int, default=50_000, help="and a tenth as many handshakes")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())  # says nothing of each request
    report = trio.run(rude, arguments.frames // 10, arguments.frames, arguments.seed)
    print(json.dumps({name: getattr(report, name) for name in report.__struct_fields__}))
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main())
