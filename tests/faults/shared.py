"""Two collectors and two nodes on one PostgreSQL: servers, daemons and networks fail; does each client hear all once?

python -m tests.faults.shared --kills 50 --seed 1
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from itertools import pairwise
from pathlib import Path

import trio
from msgspec import Struct, field
from trio_websocket import ConnectionClosed, HandshakeError, wrap_client_stream

from ccod.testing.waiting import eventually
from tests import postgres
from tests.e2e.daemon import Daemon, open_daemon
from tests.e2e.home import Tables
from tests.faults import namespaces
from tests.faults.crash import Transcript
from tests.faults.namespaces import Namespace
from tests.postgres import Server

SUBSCRIBERS = 6
FILES = 3
LONGEST_CUT = 60.0
PATIENCE_SECONDS = 90
"""How long nobody may hear anything new before all is heard."""
STORED = "SELECT seq FROM events WHERE kind NOT LIKE 'project%' ORDER BY seq"
MESSAGES = "SELECT count(*), count(DISTINCT uuid) FROM entries WHERE role IS NOT NULL"


class Report(Struct):
    """What came of it. `early` are numbers that were heard and are not stored, `backwards` those that did not grow."""

    kills: int = 0
    kills_of_server: int = 0
    cut_seconds: float = 0
    lines: int = 0
    lost: int = 0
    doubled: int = 0
    events: int = 0
    connections: int = 0
    missed: int = 0
    early: int = 0
    backwards: int = 0
    heard_otherwise: int = 0
    complaints: list[str] = field(default_factory=list)
    skipped: str = ""

    @property
    def violations(self) -> int:
        heard = self.missed + self.early + self.backwards + self.heard_otherwise
        return self.lost + self.doubled + heard + len(self.complaints)


class Subscriber:
    """Hears on one node for a while, and goes on after what it heard last on any."""

    def __init__(self, doors: Sequence[str], dice: random.Random) -> None:
        self._doors = doors
        self._dice = dice
        self.heard: list[int] = []
        self.refusals: list[str] = []
        self.connections = 0

    @property
    def last(self) -> int:
        return self.heard[-1] if self.heard else 0

    async def run(self) -> None:
        while True:
            try:
                with trio.move_on_after(self._dice.expovariate(1 / 3)):
                    await self._listen(self._dice.choice(self._doors))
            except* (OSError, HandshakeError, ConnectionClosed, trio.BrokenResourceError):
                pass  # the daemon was killed, or is not there yet, or its database is away
            await trio.sleep(self._dice.uniform(0, 0.5))

    async def _listen(self, door: str) -> None:
        stream = await trio.open_unix_socket(door)
        async with stream, trio.open_nursery() as nursery:
            ws = await wrap_client_stream(nursery, stream, "localhost", "/ws")
            self.connections += 1
            await ws.send_message(json.dumps({"type": "subscribe", "channel": "conversations", "since": self.last}))
            while True:
                message = json.loads(await ws.get_message())
                if message["type"] == "error":
                    self.refusals.append(message["message"])
                elif message["type"] == "broadcast" and "seq" in message:
                    self.heard.append(message["seq"])


class Member(Struct, frozen=True):
    """A daemon that shares the database, in a network of its own perhaps."""

    daemon: Daemon
    network: Namespace | None

    async def start(self) -> None:
        await self.daemon.start(self.network.entering if self.network else ())


class Fleet:
    """All daemons, of which the first two collect, and what they read."""

    def __init__(self, server: Server, members: Sequence[Member], dice: random.Random) -> None:
        self.server = server
        self.members = members
        self._dice = dice
        self.transcripts: list[Transcript] = []
        self.kills_of_server = 0
        for member in members[:2]:
            folder = member.daemon.home.root / "-home-dev-demo"
            folder.mkdir()
            self.transcripts += [Transcript(folder, dice) for _ in range(FILES)]

    @property
    def doors(self) -> list[str]:
        return [_door(member.daemon.home.path) for member in self.members[2:]]

    @property
    def lines(self) -> int:
        return sum(len(transcript.uuids) for transcript in self.transcripts)

    async def begin(self) -> None:
        """Start all; what a first look finds is history, of which no message is told, so wait until that is over."""
        for member in self.members:
            await member.start()
        for transcript in self.transcripts[::FILES]:
            transcript.grow(1)
            transcript.finish()
        await self.until_stored()

    async def until_stored(self) -> None:
        await eventually(self._all_stored, f"{self.lines} messages", 180)

    async def write(self, seconds: float) -> None:
        """Let transcripts grow for so long."""
        with trio.move_on_after(seconds):
            while True:
                self._dice.choice(self.transcripts).grow(self._dice.randint(1, 5))
                await trio.sleep(self._dice.uniform(0, 0.05))

    async def kill_something(self) -> None:
        """Kill the server of the database, or now and then a daemon, while lines are written; start it again."""
        await self.write(self._dice.uniform(0, 2))
        if self._dice.random() < 0.75:
            self.server.stop()
            self.kills_of_server += 1
            await self.write(self._dice.uniform(0, 1))
            self.server.start()  # here, for the server ends with the thread that starts it
        else:
            member = self._dice.choice(self.members)
            await member.daemon.kill()
            await self.write(self._dice.uniform(0, 1))
            await member.start()

    async def cut(self, seconds: float) -> None:
        """Cut off whoever has a network of its own, and join it again."""
        apart = [member.network for member in self.members if member.network is not None]
        await self.write(1)
        for network in apart:
            network.cut()
        await self.write(seconds)
        for network in apart:
            network.join()
        await self.write(1)

    async def _all_stored(self) -> bool:
        ((count,),) = self.server.run("SELECT count(*) FROM events WHERE kind = 'message_added'")
        return bool(count >= self.lines)


def _door(home: Path) -> str:
    return str(home / "s")


@asynccontextmanager
async def fleet(home: Path, dice: random.Random, networks: Sequence[Namespace]) -> AsyncIterator[Fleet]:
    """Run a server of its own, with two collectors and two nodes; the second of each is in a network, if there are."""
    listening = ",".join(network.host for network in networks)
    with postgres.running(fsync="on", full_page_writes="on", listen_addresses=listening) as server:
        with (server.folder / "data" / "pg_hba.conf").open("a") as file:
            file.write("host all all 10.213.0.0/16 trust\n")
        server.run("SELECT pg_reload_conf()")
        async with AsyncExitStack() as stack:
            members = []
            for number, name in enumerate(("c0", "n0", "c1", "n1")):
                network = networks[number - 2] if number >= 2 and networks else None
                url = f"postgresql://ccod@{network.host}/postgres" if network else server.url()
                tables: dict[str, dict[str, object]] = {
                    "postgres": {"url": url, "folder": str(home / name / "data")},
                    "http": {"socket": _door(home / name)},
                    "log": {"levels": {"http.request": "warning"}},
                    "jwt": {"sight": "all"},  # whoever asks is the owner, at any of them
                }
                daemon = await stack.enter_async_context(open_daemon(home / name, _tables(tables, name), start=False))
                daemon.home.variables |= {"CCOD_STORAGE": "postgres", "CCOD_MACHINE": name}
                members.append(Member(daemon, network))
            yield Fleet(server, sorted(members, key=lambda member: member.daemon.home.path.name), dice)


def _tables(tables: dict[str, dict[str, object]], name: str) -> Tables:
    """A node reads no transcripts."""
    return {**tables, "claude": {"roots": []}} if name.startswith("n") else tables


async def shared(home: Path, kills: int, seed: int) -> Report:
    """Run the whole experiment on folders below `home`."""
    dice = random.Random(seed)
    report = Report(kills=kills, skipped=namespaces.reason_to_skip() or "")
    with ExitStack() as stack:
        networks = [] if report.skipped else [stack.enter_context(namespaces.namespace(each)) for each in (0, 1)]
        async with fleet(home, dice, networks) as all_, trio.open_nursery() as nursery:
            await all_.begin()
            everyone = [Subscriber(all_.doors, random.Random(dice.random())) for _ in range(SUBSCRIBERS)]
            for one in everyone:
                nursery.start_soon(one.run)
            if networks:
                report.cut_seconds = min(LONGEST_CUT, 4.0 + kills)
                await all_.cut(report.cut_seconds)
            for _ in range(kills):
                await all_.kill_something()
            for transcript in all_.transcripts:
                transcript.finish()
            await all_.until_stored()
            await _until_heard(all_, everyone)
            _compare(all_, everyone, report)
            nursery.cancel_scope.cancel()
    return report


async def _until_heard(all_: Fleet, everyone: Sequence[Subscriber]) -> None:
    last = all_.server.run(STORED)[-1][0]
    with trio.move_on_after(PATIENCE_SECONDS) as patience:
        while behind := [one for one in everyone if one.last < last]:
            before = sum(len(one.heard) for one in behind)
            await trio.sleep(1)
            if sum(len(one.heard) for one in behind) > before:
                patience.deadline = trio.current_time() + PATIENCE_SECONDS


def _compare(all_: Fleet, everyone: Sequence[Subscriber], report: Report) -> None:
    stored = [seq for (seq,) in all_.server.run(STORED)]
    report.lines, report.events, report.kills_of_server = all_.lines, len(stored), all_.kills_of_server
    ((messages, distinct),) = all_.server.run(MESSAGES)
    report.lost, report.doubled = max(0, all_.lines - distinct), messages - distinct
    for one in everyone:
        heard = [seq for seq in one.heard if seq <= stored[-1]]
        report.connections += one.connections
        report.missed += len(set(stored).difference(heard))
        report.early += len(set(heard).difference(stored))
        report.backwards += sum(later <= sooner for sooner, later in pairwise(heard))
        report.heard_otherwise += heard != stored
        report.complaints += one.refusals
    for member in all_.members:
        report.complaints += [line[:500] for line in member.daemon.stderr if "Traceback" in line]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.shared", description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    if reason := postgres.reason_to_skip():
        print(reason)
        return 77
    with tempfile.TemporaryDirectory(prefix="ccod-shared-") as home:
        report = trio.run(shared, Path(home), arguments.kills, arguments.seed)
    print(json.dumps({name: getattr(report, name) for name in report.__struct_fields__}))
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main())
