"""Take from a running daemon what it needs, give it back, and count what became of the lines written meanwhile.

python -m tests.faults.resilience --rounds 10 --seed 1
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any
from uuid import UUID

import httpx
import trio
from msgspec import Struct

from ccod.testing.waiting import eventually
from tests.e2e.daemon import Daemon, open_daemon
from tests.e2e.home import Tables
from tests.e2e.lines import line
from tests.faults.disks import FAULTS, WITHOUT_RIGHTS, Fault, NotPossibleError, small_disk

RECOVERY_SECONDS = 10.0
SESSION = "7c0f3f0a-52d5-4b55-a7c5-3d2a0a1f0001"
ACCOUNT = {"email": "me@example.org", "password": "four plain words together"}
DESCRIBES = ("PUT", "/api/projects/{project}", {"name": "another"})
WRITES: Sequence[tuple[str, str, Any]] = (
    DESCRIBES,
    ("POST", "/auth/register", ACCOUNT),
    ("POST", "/api/keys", {"name": "k", "scopes": ["read"]}),
    ("POST", "/api/projects", {"claudePath": "/home/dev/other"}),
    ("DELETE", "/api/projects/{project}", None),
    ("DELETE", f"/api/conversations/{SESSION}", None),
    ("POST", "/api/reparse", None),
)
READS = (
    "/api/conversations",
    f"/api/conversations/{SESSION}/messages",
    "/api/projects",
    "/api/search?q=number",
    "/livez",
)


class Report(Struct):
    """What came of it: each time from the end of a fault until all was well, the longest by fault."""

    rounds: int = 0
    lines: int = 0
    lost: int = 0
    doubled: int = 0
    wrong: list[str] = []
    skipped: list[str] = []
    seconds: dict[str, float] = {}

    @property
    def violations(self) -> int:
        return self.lost + self.doubled + len(self.wrong)


class Writer:
    """Writes numbered lines to a transcript that it holds open, as an agent does that knows of no fault."""

    def __init__(self, file: IO[bytes], dice: random.Random) -> None:
        self.uuids: list[str] = []
        self._file = file
        self._dice = dice

    async def run(self) -> None:
        while True:
            self.write()
            await trio.sleep(0.03)

    def write(self) -> None:
        self.uuids.append(str(UUID(int=self._dice.getrandbits(128), version=4)))
        text = f"number {len(self.uuids)} " + self._dice.randbytes(600).hex()
        self._file.write(line(text, session=SESSION, uuid=self.uuids[-1]))


class Trial:
    """One daemon and what is known of it."""

    def __init__(self, daemon: Daemon, writer: Writer, owner: httpx.AsyncClient, report: Report) -> None:
        self._daemon = daemon
        self._writer = writer
        self._owner = owner
        self._report = report
        self._project = ""

    async def undergo(self, fault: Fault) -> None:
        """Let a fault come and go while lines are written, and compare."""
        await self._all_shown(5)
        self._project = (await self._daemon.get("/api/projects"))["data"][0]["id"]
        try:
            with self._begun(fault):
                await eventually(lambda: self._says(fault.code), f"health that says {fault.code}", 20)
                await self._look(fault)
        except NotPossibleError as reason:
            self._report.skipped.append(f"{fault.name}: {reason}")
            return
        ended = trio.current_time()
        try:
            await eventually(self._is_well, f"health after {fault.name}", 30)
        except AssertionError:
            print((await self._daemon.get("/health"))["data"]["details"]["reasons"])
            raise
        await self._all_shown(30, f"after {fault.name}")
        took = trio.current_time() - ended
        self._report.seconds[fault.name] = round(max(took, self._report.seconds.get(fault.name, 0)), 2)
        if took > RECOVERY_SECONDS:
            self._report.wrong.append(f"{fault.name}: {took:.1f} s until all was well")

    @contextmanager
    def _begun(self, fault: Fault) -> Any:
        with fault.begin(self._daemon):  # type: ignore[attr-defined]
            yield

    async def _look(self, fault: Fault) -> None:
        """Reads must go on, writes be refused in the envelope, and the word be known to strangers without a reason."""
        for path in READS:
            if (status := await self._daemon.status(path)) != 200:
                self._report.wrong.append(f"{fault.name}: GET {path} is {status}")
        stranger = {"X-Forwarded-For": "10.0.0.9"}
        ready = await self._daemon.status("/health/ready", **stranger)
        if ready != (503 if fault.of_storage else 200):
            self._report.wrong.append(f"{fault.name}: ready is {ready}")
        if not fault.of_storage:
            return
        for method, path, body in WRITES if fault.refuses_all else [DESCRIBES]:
            answer = await self._owner.request(method, path.format(project=self._project), json=body)
            said = answer.json() if answer.content else {}
            refused = answer.status_code == 503 and said.get("error", {}).get("code") == "SERVICE_UNAVAILABLE"
            if not refused and (fault.refuses_all or answer.status_code != 200):
                self._report.wrong.append(f"{fault.name}: {method} {path} is {answer.status_code} {answer.text[:200]}")

    async def _says(self, code: str) -> bool:
        data = (await self._daemon.get("/health"))["data"]
        return data["status"] == "degraded" and code in [each["code"] for each in data["details"]["reasons"]]

    async def _is_well(self) -> bool:
        return str((await self._daemon.get("/health"))["data"]["status"]) == "healthy"

    async def _all_shown(self, seconds: float, after: str = "at first") -> None:
        written = len(self._writer.uuids)
        await eventually(lambda: self._shows(written), f"message {written} {after}", seconds)

    async def _shows(self, count: int) -> bool:
        answer = await self._owner.get(f"/api/conversations/{SESSION}/messages", params={"limit": 1})
        return answer.status_code == 200 and answer.json()["pagination"]["total"] >= count


async def run(home: Path, rounds: int, seed: int) -> Report:
    """Run the whole experiment on folders below `home`."""
    dice = random.Random(seed)
    report = Report()
    tables: Tables = {
        "http": {"socket": str(home / "ccod.sock")},
        "jwt": {"bcrypt_rounds": 4},
        "log": {"levels": {"http.request": "warning"}},
    }
    with small_disk(home / "data"):
        async with open_daemon(home, tables, start=False) as daemon:
            folder = daemon.home.root / "-home-dev-demo"
            folder.mkdir()
            with (folder / f"{SESSION}.jsonl").open("ab", buffering=0) as file:
                writer = Writer(file, dice)
                writer.write()
                await daemon.start(before=WITHOUT_RIGHTS if os.getuid() == 0 else ())
                await _try_all(daemon, writer, dice, rounds, report)
            await _compare(daemon, writer, report)
            code = await daemon.terminate()
            report.wrong += [f"exit {code}"] * (code != 0)
            report.wrong += [each for each in daemon.stderr if "Traceback" in each or '"level": "error"' in each]
    return report


async def _try_all(daemon: Daemon, writer: Writer, dice: random.Random, rounds: int, report: Report) -> None:
    transport = httpx.AsyncHTTPTransport(uds=str(daemon.home.path / "ccod.sock"))
    async with (
        httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=20) as owner,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(writer.run)
        trial = Trial(daemon, writer, owner, report)
        for _ in range(rounds):
            for fault in dice.sample(FAULTS, len(FAULTS)):
                await trial.undergo(fault)
            report.rounds += 1
        nursery.cancel_scope.cancel()


async def _compare(daemon: Daemon, writer: Writer, report: Report) -> None:
    """Compare what was written with what is shown."""
    written = Counter(writer.uuids)

    async def shown() -> Counter[str] | None:
        found = Counter([each["id"] for each in await daemon.items(f"/api/conversations/{SESSION}/messages")])
        return found if found.total() >= written.total() else None

    found = await eventually(shown, "all messages", 30)
    report.lines = written.total()
    report.lost = (written - found).total()
    report.doubled = (found - written).total()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.resilience", description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="ccod-resilience-") as home:
        report = trio.run(run, Path(home), arguments.rounds, arguments.seed)
    print(json.dumps({name: getattr(report, name) for name in report.__struct_fields__}))
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main())
