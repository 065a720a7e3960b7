"""Kill the daemon at random moments while it reads, start it again, and count what is stored in the end.

python -m tests.faults.crash --kills 100 --seed 1
"""

from __future__ import annotations

import argparse
import json
import random
import sqlite3
import sys
import tempfile
from collections import Counter
from contextlib import closing
from pathlib import Path
from uuid import UUID

import trio
import zstandard
from msgspec import Struct

from ccod.testing.waiting import eventually
from tests.e2e.daemon import Daemon, open_daemon
from tests.e2e.lines import line

FILES = 8
BURST = 100
LONGEST = 4_000


class Report(Struct):
    """What came of it. `midway` are the kills between the first and the last batch of what there was to read."""

    kills: int = 0
    midway: int = 0
    lines: int = 0
    lost: int = 0
    doubled: int = 0
    strange: int = 0
    damaged: list[str] = []

    @property
    def violations(self) -> int:
        return self.lost + self.doubled + self.strange + len(self.damaged)


class Transcript:
    """A file that grows by numbered lines, some of them in two steps."""

    def __init__(self, folder: Path, dice: random.Random) -> None:
        self.session = _uuid(dice)
        self.uuids: list[str] = []
        self.path = folder / f"{self.session}.jsonl"
        self.complete = 0
        self._dice = dice
        self._rest = b""

    def grow(self, lines: int) -> None:
        """Append lines; the last may be left half-written until the next call."""
        data = self._rest + b"".join(self._line() for _ in range(lines))
        cut = len(data) - (self._dice.randint(0, 300) if self._dice.random() < 0.5 else 0)
        self._append(data[:cut])
        self._rest = data[cut:]

    def finish(self) -> None:
        self._append(self._rest)
        self._rest = b""

    def _line(self) -> bytes:
        self.uuids.append(_uuid(self._dice))
        text = f"{len(self.uuids)} é " + "x" * self._dice.randint(0, LONGEST)
        return line(text, session=self.session, uuid=self.uuids[-1])

    def _append(self, data: bytes) -> None:
        with self.path.open("ab", buffering=0) as file:
            start = file.tell()
            file.write(data)
        if b"\n" in data:
            self.complete = start + data.rindex(b"\n") + 1


async def crash(home: Path, kills: int, seed: int) -> Report:
    """Run the whole experiment on folders below `home`."""
    dice = random.Random(seed)
    report = Report()
    async with open_daemon(home, start=False) as daemon:
        folder = daemon.home.root / "-home-dev-demo"
        folder.mkdir()
        transcripts = [Transcript(folder, dice) for _ in range(FILES)]
        position = 0
        for _ in range(kills):
            await _live_and_die(daemon, transcripts, dice)
            before, position = position, _look_at_the_wreck(daemon.home.database, report)
            report.kills += 1
            report.midway += before < position < sum(transcript.complete for transcript in transcripts)
        for transcript in transcripts:
            transcript.finish()
        await daemon.start()
        await eventually(lambda: all_read(daemon.home.database, transcripts), "end of the reading", 120)
        for transcript in transcripts:
            await compare(daemon, transcript, report)
        assert await daemon.terminate() == 0, daemon.report()
        check(daemon.home.database, report)
    return report


async def _live_and_die(daemon: Daemon, transcripts: list[Transcript], dice: random.Random) -> None:
    """Start the daemon with much to read, let the files grow under it, and kill it at a random moment."""
    for transcript in transcripts:
        transcript.grow(dice.randint(0, BURST))
    await daemon.spawn()
    if dice.random() < 0.2:
        await trio.sleep(dice.uniform(0, 0.5))
    else:
        await daemon.logged("listening")
        with trio.move_on_after(dice.uniform(0, 0.25)):
            while True:
                dice.choice(transcripts).grow(dice.randint(1, 5))
                await trio.sleep(dice.uniform(0, 0.01))
    await daemon.kill()


def _look_at_the_wreck(database: Path, report: Report) -> int:
    """Check a copy of what a kill has left, so that the daemon finds its own untouched; return how far it had read."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / database.name
        for suffix in ("", "-wal"):
            source = Path(f"{database}{suffix}")
            if source.exists():
                Path(f"{copy}{suffix}").write_bytes(source.read_bytes())
        if not copy.exists():
            return 0
        check(copy, report)
        return _position(copy)


def check(database: Path, report: Report) -> None:
    with closing(sqlite3.connect(database)) as connection:
        report.damaged += [text for (text,) in connection.execute("PRAGMA integrity_check") if text != "ok"]


def _position(database: Path) -> int:
    """Return how many bytes have been read of all transcripts."""
    with closing(sqlite3.connect(database)) as connection:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'streams'").fetchone():
            return 0
        (position,) = connection.execute("SELECT coalesce(sum(position), 0) FROM streams").fetchone()
        return int(position)


async def all_read(database: Path, transcripts: list[Transcript]) -> bool:
    return _position(database) == sum(transcript.complete for transcript in transcripts)


async def compare(daemon: Daemon, transcript: Transcript, report: Report) -> None:
    """Compare what was written with the rows of the database and with the messages that the API gives."""
    written = Counter(transcript.uuids)
    stored = Counter(_rows(daemon.home.database, transcript.path))
    shown = Counter(m["id"] for m in await daemon.items(f"/api/conversations/{transcript.session}/messages"))
    report.lines += written.total()
    report.lost += (written - stored).total() + (written - shown).total()
    for found in (stored, shown):
        report.doubled += sum(count - 1 for uuid, count in found.items() if uuid in written)
        report.strange += sum(count for uuid, count in found.items() if uuid not in written)
    if _archived(daemon.home.database, transcript.path) != transcript.path.read_bytes():
        report.damaged.append(f"the archive of {transcript.path.name} is not the file")


def _rows(database: Path, path: Path) -> list[str]:
    query = "SELECT e.uuid FROM entries e JOIN streams s ON s.id = e.stream_id WHERE s.path = ?"
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        return [str(UUID(bytes=uuid)) for (uuid,) in connection.execute(query, (str(path),))]


def _archived(database: Path, path: Path) -> bytes:
    """Return the bytes of a transcript as they were kept."""
    query = (
        "SELECT b.codec, b.data FROM blocks b JOIN streams s ON s.id = b.stream_id WHERE s.path = ? ORDER BY b.start"
    )
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        blocks = connection.execute(query, (str(path),)).fetchall()
    return b"".join(zstandard.decompress(data) if codec == "zstd" else data for codec, data in blocks)


def _uuid(dice: random.Random) -> str:
    return str(UUID(int=dice.getrandbits(128), version=4))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.crash", description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="ccod-crash-") as home:
        report = trio.run(crash, Path(home), arguments.kills, arguments.seed)
    print(json.dumps({name: getattr(report, name) for name in report.__struct_fields__}))
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main())
