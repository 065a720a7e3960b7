"""What goes on while a server beside the daemon is killed: transcripts grow, clients listen, others ask.

Every answer must show what was written, in its order, and no less than any answer before it did; or it must say 503.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import httpx
import trio
from msgspec import Struct

from ccod.testing.waiting import eventually
from tests.e2e.daemon import Daemon
from tests.faults import subscribers
from tests.faults.crash import Transcript
from tests.faults.subscribers import StreamSubscriber, Subscriber, WebSocketSubscriber

SUBSCRIBERS = 10
READERS = 3
FILES = 4
LATEST = 20
WELL_SECONDS = 120
"""How long all may take to be well again; what a fault of a plugin is told of for is a part of it."""


class Report(Struct):
    """What came of it. `told` are the outages that lasted until /health told of them.

    `refused` are answers of 503, `wrong` all that an answer must not be. `longest` is how many seconds passed at most
    from the end of an outage until all was shown that was written until then.
    """

    kills: int = 0
    told: int = 0
    longest: float = 0.0
    lines: int = 0
    events: int = 0
    asked: int = 0
    refused: int = 0
    lost: int = 0
    doubled: int = 0
    disordered: int = 0
    missed: int = 0
    early: int = 0
    backwards: int = 0
    heard_otherwise: int = 0
    wrong: list[str] = []

    @property
    def violations(self) -> int:
        stored = self.lost + self.doubled + self.disordered
        return stored + self.missed + self.early + self.backwards + self.heard_otherwise + len(self.wrong)


class Traffic:
    """All of it, for one daemon on `port` that follows an empty root."""

    def __init__(self, daemon: Daemon, port: int, dice: random.Random, report: Report) -> None:
        self._daemon = daemon
        self._dice = dice
        self._report = report
        self._shown: Counter[str] = Counter()
        kinds: Sequence[type[Subscriber]] = (WebSocketSubscriber, StreamSubscriber)
        self.everyone = [kinds[number % 2](port, random.Random(dice.random())) for number in range(SUBSCRIBERS)]
        folder = daemon.home.root / "-home-dev-demo"
        folder.mkdir()
        self.transcripts = [Transcript(folder, dice) for _ in range(FILES)]

    @property
    def lines(self) -> int:
        return sum(len(transcript.uuids) for transcript in self.transcripts)

    @asynccontextmanager
    async def listened_to(self) -> AsyncIterator[None]:
        """Let everyone listen. A first message comes before: what a first look finds is history, and no news."""
        (first, *_) = self.transcripts
        first.grow(1)
        first.finish()
        await eventually(partial(self._shows, first, 1), "first message", 60)
        async with trio.open_nursery() as nursery:
            for one in self.everyone:
                nursery.start_soon(one.run)
            yield
            nursery.cancel_scope.cancel()

    @asynccontextmanager
    async def going_on(self) -> AsyncIterator[None]:
        """Let transcripts grow, and be asked for; in the end each has a line, and each line is whole."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._write)
            for _ in range(READERS):
                nursery.start_soon(self._read)
            yield
            nursery.cancel_scope.cancel()
        for transcript in self.transcripts:
            if not transcript.uuids:
                transcript.grow(1)
            transcript.finish()

    async def until_shown(self) -> None:
        """Wait until what was written until now is shown; note how long that took."""
        began = trio.current_time()
        written = [(transcript, len(transcript.uuids) - 1) for transcript in self.transcripts]  # perhaps half a line
        for transcript, count in written:
            await eventually(partial(self._shows, transcript, count), "lines", WELL_SECONDS)
        self._report.longest = round(max(self._report.longest, trio.current_time() - began), 2)

    async def until_well(self) -> None:
        try:
            await eventually(self._is_well, "health", WELL_SECONDS)
        except AssertionError as error:
            raise AssertionError(f"{error}: {await codes(self._daemon)}") from None

    async def until_told(self, code: str) -> None:
        await eventually(lambda: self._tells(code), f"health that tells of {code}", WELL_SECONDS)
        self._report.told += 1

    async def compare(self, stored: Callable[[], Mapping[str, list[str]]], numbers: Callable[[], list[int]]) -> None:
        """Compare what was written with what is stored, by path and in order, and with what is shown and was heard.

        Nothing else happens any more. `numbers` returns those of the events that everybody is told of.
        """
        report = self._report
        heard = await subscribers.heard_of(numbers, self.everyone)
        for name in ("events", "missed", "early", "backwards", "heard_otherwise"):
            setattr(report, name, getattr(heard, name))
        by_path = stored()
        for transcript in self.transcripts:
            shown = [each["id"] for each in await self._daemon.items(_messages(transcript))]
            report.lines += len(transcript.uuids)
            for found in (by_path.get(str(transcript.path), []), shown):
                report.lost += (Counter(transcript.uuids) - Counter(found)).total()
                report.doubled += (Counter(found) - Counter(transcript.uuids)).total()
                report.disordered += found != transcript.uuids

    async def _write(self) -> None:
        while True:
            self._dice.choice(self.transcripts).grow(self._dice.randint(1, 4))
            await trio.sleep(self._dice.uniform(0, 0.04) if self._dice.random() < 0.9 else 0.3)

    async def _read(self) -> None:
        async with httpx.AsyncClient(base_url=self._daemon.url, trust_env=False, timeout=60) as client:
            while True:
                await self._ask(client, self._dice.choice(self.transcripts))
                await trio.sleep(self._dice.uniform(0, 0.03))

    async def _ask(self, client: httpx.AsyncClient, of: Transcript) -> None:
        before = self._shown[of.session]
        answer = await client.get(_messages(of), params={"order": "desc", "limit": LATEST})
        self._report.asked += 1
        if answer.status_code == 503 and answer.json()["error"]["code"] == "SERVICE_UNAVAILABLE":
            self._report.refused += 1
            return
        if answer.status_code == 404 and not before:
            return
        if answer.status_code != 200:
            self._report.wrong.append(f"{answer.status_code} {answer.text[:200]}")
            return
        shown = [each["id"] for each in reversed(answer.json()["data"])]
        total = answer.json()["pagination"]["total"]
        if shown != of.uuids[max(0, total - LATEST) : total]:
            self._report.wrong.append(f"the last of {total} messages are others: {shown}")
        if total < before:
            self._report.wrong.append(f"{total} messages, after an answer of {before}")
        self._shown[of.session] = max(total, self._shown[of.session])

    async def _shows(self, transcript: Transcript, count: int) -> bool:
        answer = await self._daemon.client.get(self._daemon.url + _messages(transcript), params={"limit": 1})
        return count <= 0 or (answer.status_code == 200 and answer.json()["pagination"]["total"] >= count)

    async def _is_well(self) -> bool:
        return str((await self._daemon.get("/health"))["data"]["status"]) == "healthy"

    async def _tells(self, code: str) -> bool:
        return code in await codes(self._daemon)


async def codes(daemon: Daemon) -> list[str]:
    """Return what /health tells of."""
    return [each["code"] for each in (await daemon.get("/health"))["data"]["details"]["reasons"]]


def _messages(transcript: Transcript) -> str:
    return f"/api/conversations/{transcript.session}/messages"


def command(
    name: str, description: str | None, reason: str | None, run: Callable[[Path, int, int], Awaitable[Report]]
) -> int:
    """Run a programme that kills a server, as the command line asks; return its exit code."""
    parser = argparse.ArgumentParser(prog=f"python -m tests.faults.{name}", description=description)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    arguments = parser.parse_args()
    if reason:
        print(f"SKIPPED: {reason}")
        return 77
    print(f"seed {arguments.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix=f"ccod-{name}-") as home:
        report = trio.run(run, Path(home), arguments.kills, arguments.seed)
    print(json.dumps({field: getattr(report, field) for field in report.__struct_fields__}))
    return 1 if report.violations else 0
