"""Kill the migration of an old database at random moments, the backup before it too, and compare what comes of it.

python -m tests.faults.migrating --kills 100 --seed 1
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import trio
from msgspec import Struct

from ccod.testing.asking import Clock
from ccod_sql.schema import HEAD
from tests.e2e.daemon import CCOD
from tests.e2e.home import Home
from tests.plugins.sql.feeding import dump, feed, stream, transcript
from tests.plugins.sql.opening import opened
from tests.plugins.sql.test_sql_migrations import STORED, at_version
from tests.plugins.sql.test_sql_packing import maintained
from tests.plugins.sql.test_sql_reparse import DERIVED

OLD = "0001"
FIGURES = ("model_quarters", "message_quarters", "tool_quarters")
COMPARED = (*DERIVED, *FIGURES, "sqlite_schema")
CONVERSATIONS = 3
LIMIT_SECONDS = 60


class Report(Struct):
    """What came of it: kills while the backup was written, while tables were changed, and when all was done."""

    kills: int = 0
    before: int = 0
    in_backup: int = 0
    in_migration: int = 0
    after: int = 0
    wrong: list[str] = []

    @property
    def violations(self) -> int:
        return len(self.wrong)


class Workshop:
    """An old database and what it tells once it is migrated in peace."""

    def __init__(self, home: Home, dice: random.Random) -> None:
        self.home = home
        self.old = home.path / "old.db"
        self.path = home.database
        self.seconds = 0.0
        self._dice = dice
        self._wanted: object = None
        self._stored: object = None

    async def prepare(self) -> None:
        new, clock = self.home.path / "new.db", Clock()
        async with opened(new, clock) as storage:
            for number in range(CONVERSATIONS):
                name = f"c{number}"
                lines = transcript(200, self._dice.getrandbits(32), conversation=name)
                await feed(storage, stream(name), lines)
            await maintained(storage)
        at_version(OLD, self.old, new)
        self._stored = dump(self.old, *STORED)
        self.reset()
        began = trio.current_time()
        await self.migrate()
        self.seconds = trio.current_time() - began
        self._wanted = await self._told()

    def reset(self) -> None:
        """Put the old database in its place again, alone."""
        shutil.rmtree(self.path.parent, ignore_errors=True)
        self.path.parent.mkdir()
        shutil.copy(self.old, self.path)

    async def migrate(self, when: Callable[[], Awaitable[object]] = trio.sleep_forever) -> int | None:
        """Run the command and kill it when the time has come; return its exit code, None if it was killed."""
        command = [str(CCOD), "db", "migrate", "--config", str(self.home.config)]
        process = await trio.lowlevel.open_process(
            command, env=self.home.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        async with trio.open_nursery() as nursery:

            async def kill() -> None:
                await when()
                process.kill()

            nursery.start_soon(kill)
            with trio.fail_after(LIMIT_SECONDS):
                code = await process.wait()
            nursery.cancel_scope.cancel()
        return None if code < 0 else code

    async def some_moment(self) -> None:
        """Return at a random moment: of the whole, while the backup is written, or while tables are changed."""
        backup = self.path.with_name(f"{self.path.name}.before-{HEAD}")
        awaited, longest = self._dice.choice(
            [(self.path, self.seconds), (Path(f"{backup}.part"), 0.02), (backup, self.seconds / 8)]
        )
        while not awaited.exists():
            await trio.sleep(0.0005)
        await trio.sleep(self._dice.uniform(0, longest))

    def look_at_the_wreck(self, report: Report) -> None:
        """Check what a kill has left, on copies, so that the next start finds it untouched."""
        with tempfile.TemporaryDirectory() as folder:
            for file in self.path.parent.iterdir():
                shutil.copy(file, folder)
            copy, backup = Path(folder) / self.path.name, Path(folder) / f"{self.path.name}.before-{HEAD}"
            version = self._sound(copy, report)
            if version not in {OLD, HEAD}:
                report.wrong.append(f"the database is of version {version}")
            if backup.exists():
                self._sound(backup, report)
                if dump(backup, *STORED) != self._stored:
                    report.wrong.append("a backup is not what was there")
            report.after += version == HEAD
            report.in_migration += version == OLD and backup.exists()
            part = Path(f"{backup}.part")
            report.in_backup += part.exists()
            report.before += version == OLD and not backup.exists() and not part.exists()

    async def compare(self, report: Report) -> None:
        if (code := await self.migrate()) != 0:
            report.wrong.append(f"the next migration ended with {code}")
        elif await self._told() != self._wanted:
            report.wrong.append("after a kill another database tells otherwise")
        left = [file.name for file in self.path.parent.iterdir() if ".part" in file.name]
        report.wrong += [f"{name} is left" for name in left]

    async def _told(self) -> object:
        """Return all that is derived, once the archive has been read again."""
        async with opened(self.path, Clock()) as storage:
            await maintained(storage)
        return dump(self.path, *COMPARED)

    def _sound(self, path: Path, report: Report) -> str:
        with closing(sqlite3.connect(path)) as connection:
            found = [text for (text,) in connection.execute("PRAGMA integrity_check") if text != "ok"]
            report.wrong += [f"{path.name}: {text}" for text in found]
            return str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])


async def run(folder: Path, kills: int, seed: int) -> Report:
    """Run the whole experiment on folders below `folder`."""
    dice, report = random.Random(seed), Report()
    shop = Workshop(Home(folder), dice)
    await shop.prepare()
    for _ in range(kills):
        shop.reset()
        for _ in range(dice.randint(1, 2)):  # what was killed once may be killed again
            await shop.migrate(shop.some_moment)
            report.kills += 1
            shop.look_at_the_wreck(report)
        await shop.compare(report)
    return report


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.migrating", description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="ccod-migrating-") as folder:
        report = trio.run(run, Path(folder), arguments.kills, arguments.seed)
    print(json.dumps({name: getattr(report, name) for name in report.__struct_fields__}))
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main())
