"""Clocks that are wrong, jump or come to an edge: tokens end in time, nothing is lost, or lasts less than no time.

    python -m tests.faults.clocks --seed 1

The clock is libfaketime's, and the monotonic one is left alone, as the kernel does.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import trio
from msgspec import Struct

from ccod.testing.waiting import eventually
from tests.e2e.daemon import Daemon, open_daemon
from tests.e2e.home import Tables
from tests.faults.crash import Report as Stored
from tests.faults.crash import Transcript, all_read, check, compare
from tests.faults.overflow import metrics_of

SKIPPED = 77
LIBRARIES = (Path("/usr/lib"), Path("/usr/local/lib"))
FILES = 3
WRITE_SECONDS = 1.0
EXPIRES_IN, LEEWAY = 60, 10
WINDOW, MOST = 30.0, 120
PASSWORD = "four plain words together"
ASKED = (
    "/health",
    "/api/status",
    "/api/conversations",
    "/api/conversations/{id}",
    "/api/conversations/{id}/messages",
    "/api/conversations/{id}/analytics",
    "/api/conversations/{id}/tree",
    "/api/conversations/{id}/usage",
    "/api/analytics/overview?range=7d",
    "/api/usage/daily",
    "/api/usage/blocks",
    "/api/usage/sessions",
    "/api/search?q=x",
    "/api/projects",
    "/api/plugins",
    "/api/storage",
    "/api/streams?source=claude",
    "/api/keys",
    "/api/users",
    "/api/websocket/status",
    "/api/websocket/clients",
)


class Scenario(Struct, frozen=True):
    """A clock that shows `begins`, in seconds since 1970 (None: the right time), and then jumps by so many seconds."""

    name: str
    begins: float | None = None
    jumps: Sequence[int] = ()
    zone: str = "UTC"


SCENARIOS = (
    Scenario("1970", 86_400),
    Scenario("2038", 2**31 - 3),
    Scenario("2106", 2**32 - 3),
    Scenario("back and forth", jumps=(-3600, 3600)),
    Scenario("forth and back", jumps=(3600, -3600)),
    Scenario("spring", 1_774_745_996, zone="Europe/Berlin"),
    Scenario("autumn", 1_792_889_996, zone="Europe/Berlin"),
    Scenario("leap second", 1_483_228_796),
)


class Report(Struct):
    """What came of it."""

    stored: Stored
    scenarios: int = 0
    answers: int = 0
    told: int = 0
    untold: int = 0
    wrong: list[str] = []

    @property
    def violations(self) -> int:
        return self.stored.violations + self.untold + len(self.wrong)


class Clock:
    """The clock of a daemon, by the file in which libfaketime looks how far it is off."""

    def __init__(self, file: Path, begins: float | None) -> None:
        self._file = file
        self._off = 0.0 if begins is None else begins - time.time()
        self.jump(0)

    def jump(self, seconds: float) -> None:
        self._off += seconds
        new = self._file.with_suffix(".new")
        new.write_text(f"{self._off:+f}\n")
        new.replace(self._file)

    def variables(self, zone: str) -> dict[str, str]:
        return {
            "LD_PRELOAD": str(library()),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",  # it ages by the wrong clock
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_FORCE_MONOTONIC_FIX": "0",  # it ends each wait for the interpreter's lock at once: threads spin
            "DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
            "TZ": zone,
        }


def library() -> Path | None:
    """Return libfaketime for programs with threads, None where it is not installed."""
    found = (path for folder in LIBRARIES for path in folder.glob("**/faketime/libfaketimeMT.so.1"))
    return next(found, None)


class Trial:
    """One daemon under one clock."""

    def __init__(self, scenario: Scenario, daemon: Daemon, owner: httpx.AsyncClient, report: Report) -> None:
        self._name = scenario.name
        self._daemon = daemon
        self._owner = owner
        self._report = report
        self.heard: list[dict[str, Any]] = []

    async def listen(self, *, task_status: trio.TaskStatus[None]) -> None:
        async with self._daemon.websocket("conversations") as listener:
            task_status.started()
            while True:
                self.heard.append(await listener.next(lambda message: "seq" in message, seconds=600))

    async def login(self, email: str) -> str:
        """Make an account; return its token, which must be good."""
        said = await self._owner.post("/auth/register", json={"email": email, "password": PASSWORD})
        self.require(said.status_code == 201, f"register is {said.status_code} {said.text[:200]}")
        token = str(said.json()["data"]["accessToken"])
        self.require(await self.profile(token) == 200, "a new token is not good")
        return token

    async def profile(self, token: str) -> int:
        headers = {"Authorization": f"Bearer {token}"}
        return (await self._owner.get("/auth/profile", headers=headers)).status_code

    async def look(self, session: str) -> None:
        """Nothing that is told may be less than nothing."""
        for path in ASKED:
            answer = await self._owner.get(path.format(id=session))
            self.require(answer.status_code == 200, f"{path} is {answer.status_code} {answer.text[:200]}")
            self._report.answers += 1
            for place, value in negatives(answer.json()):
                self.require(False, f"{path}: {place} is {value}")
        for sample in (await metrics_of(self._daemon)).samples:
            self.require(sample.value >= 0 or sample.value != sample.value, f"{sample.name} is {sample.value}")

    async def use_up(self) -> None:
        """Ask more often than is allowed: one more is let in once its share of the window has passed."""
        asked = 0
        while asked < 2 * MOST and await self._daemon.status("/api/projects") != 429:
            asked += 1
        self.require(asked < 2 * MOST, "nobody is held back")
        await trio.sleep(2 * WINDOW / MOST)
        self.require(await self._daemon.status("/api/projects") == 200, "still held back")

    def hear_out(self, transcripts: Sequence[Transcript], before: set[str]) -> None:
        """Compare what was heard with what was written since somebody listened."""
        numbers = [message["seq"] for message in self.heard]
        self.require(numbers == sorted(set(numbers)), "numbers do not grow")
        wanted = {uuid for transcript in transcripts for uuid in transcript.uuids} - before
        self._report.told += len(wanted)
        self._report.untold += len(wanted - ids(self.heard))
        for place, value in negatives(self.heard):
            self.require(False, f"WebSocket: {place} is {value}")

    def require(self, holds: bool, otherwise: str) -> None:
        self._report.wrong += [f"{self._name}: {otherwise}"] * (not holds)


async def attempt(home: Path, scenario: Scenario, dice: random.Random, report: Report) -> None:
    tables: Tables = {
        "http": {"socket": str(home / "ccod.sock"), "limits": {"window": WINDOW, "max": MOST}},
        "jwt": {"bcrypt_rounds": 4, "expires_in": EXPIRES_IN},
    }
    async with open_daemon(home, tables, start=False) as daemon:
        folder = daemon.home.root / "-home-dev-demo"
        folder.mkdir()
        transcripts = [Transcript(folder, dice) for _ in range(FILES)]
        for transcript in transcripts:
            transcript.grow(5)
            transcript.finish()
        clock = Clock(home / "clock", scenario.begins)
        daemon.home.variables.update(clock.variables(scenario.zone))
        await daemon.start()
        await eventually(lambda: all_read(daemon.home.database, transcripts), "first lines", 60)
        async with _owner(daemon) as owner, trio.open_nursery() as nursery:
            trial = Trial(scenario, daemon, owner, report)
            before = {uuid for transcript in transcripts for uuid in transcript.uuids}
            await nursery.start(trial.listen)
            await _live(trial, clock, scenario, transcripts, dice)
            await eventually(lambda: all_read(daemon.home.database, transcripts), "end of the reading", 60)
            await trio.sleep(0.5)
            trial.hear_out(transcripts, before)
            nursery.cancel_scope.cancel()
        for transcript in transcripts:
            await compare(daemon, transcript, report.stored)
        trial.require(await daemon.terminate() == 0, f"exit {daemon.process.returncode}")
        trial.require(not any("Traceback" in said for said in daemon.stderr), daemon.report()[-800:])
        check(daemon.home.database, report.stored)
        report.scenarios += 1


async def _live(
    trial: Trial, clock: Clock, scenario: Scenario, transcripts: Sequence[Transcript], dice: random.Random
) -> None:
    """Write while time passes and jumps; in the end it jumps so far that a token is not good any more."""
    for number, jump in enumerate((0, *scenario.jumps)):
        clock.jump(jump)
        token = await trial.login(f"number{number}@example.org")
        with trio.move_on_after(WRITE_SECONDS):
            while True:
                dice.choice(transcripts).grow(dice.randint(1, 3))
                await trio.sleep(0.05)
        await trial.look(transcripts[0].session)
        await trial.use_up()
    trial.require(await trial.profile(token) == 200, "a token ended early")
    clock.jump(EXPIRES_IN + LEEWAY + 1)
    trial.require(await trial.profile(token) == 401, "a token did not end")
    for transcript in transcripts:
        transcript.finish()
    await trial.look(transcripts[0].session)


@asynccontextmanager
async def _owner(daemon: Daemon) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.AsyncHTTPTransport(uds=str(daemon.home.path / "ccod.sock"))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=60) as owner:
        yield owner


def ids(heard: Sequence[dict[str, Any]]) -> set[str]:
    """Return the ids of the messages that were told of."""
    return {each["data"]["message"]["id"] for each in heard if each["data"].get("event") == "message_added"}


def negatives(value: Any, place: str = "") -> Iterator[tuple[str, float]]:
    """Yield every number below zero, with where it stands."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from negatives(each, f"{place}.{key}")
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from negatives(each, f"{place}[{number}]")
    elif isinstance(value, (int, float)) and value < 0:
        yield place, value


async def run(folder: Path, count: int, seed: int) -> Report:
    """Try the first `count` scenarios, or all of them where it is 0."""
    dice, report = random.Random(seed), Report(stored=Stored())
    for scenario in SCENARIOS[: count or None]:
        try:
            await attempt(folder / scenario.name.replace(" ", "-"), scenario, dice, report)
        except AssertionError as error:
            report.wrong.append(f"{scenario.name}: {' '.join(str(error).split())[-600:]}")
    return report


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.clocks", description=__doc__)
    parser.add_argument("--scenarios", type=int, default=0, help="how many; 0: all")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    if library() is None:
        print("SKIPPED: libfaketime is not installed (apt install faketime); no clock was set wrong")
        return SKIPPED
    with tempfile.TemporaryDirectory(prefix="ccod-clocks-") as folder:
        report = trio.run(run, Path(folder), arguments.scenarios, arguments.seed)
    shown = {name: getattr(report, name) for name in report.__struct_fields__ if name != "stored"}
    stored = {name: getattr(report.stored, name) for name in ("lines", "lost", "doubled", "strange", "damaged")}
    print(json.dumps(shown | stored))
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main())
