"""Whatever happens to files, in whatever order: the database ends as if it had got the last bytes in one piece.

python -m tests.faults.histories --count 200 --seed 1
"""

from __future__ import annotations

import argparse
import logging
import os
import random
import sys
import tempfile
from pathlib import Path

import structlog
import trio

from tests.faults.house import OTHER, SESSION, House
from tests.faults.kills import killed_in_the_end

STEPS = 30
PAUSES = (0, 0, 0.002, 0.02)
MOST_STATEMENTS = 600


class Hand:
    """Does to two sessions' files what can be done to files."""

    def __init__(self, house: House, dice: random.Random) -> None:
        self._house = house
        self._dice = dice
        self._rest: dict[Path, bytes] = {}

    def act(self) -> None:
        acts = {self._append: 12, self._split: 5, self._truncate: 2, self._rewrite: 2, self._patch: 2}
        acts |= {self._replace: 1, self._rename: 1, self._delete: 1, self._fork: 1, self._set_clock: 1}
        folder = self._house.root / self._dice.choice(["-home-me", "-home-you"])
        folder.mkdir(exist_ok=True)
        self._dice.choices(list(acts), list(acts.values()))[0](folder / f"{self._dice.choice([SESSION, OTHER])}.jsonl")

    def _some(self) -> bytes:
        house, kinds = self._house, ("user", "assistant", "assistant", "mode", "ai-title")
        lines = [house.line(kind, **_state(kind)) for kind in self._dice.choices(kinds, k=self._dice.randint(1, 5))]
        if self._dice.random() < 0.1:
            lines.insert(0, b'{"type":"user","message":{"con')
        return b"".join(lines)

    def _append(self, path: Path) -> None:
        self._house.append(self._rest.pop(path, b"") + self._some(), path)

    def _split(self, path: Path) -> None:
        data = self._rest.pop(path, b"") + self._some()
        cut = self._dice.randrange(len(data))
        self._house.append(data[:cut], path)
        self._rest[path] = data[cut:]

    def _truncate(self, path: Path) -> None:
        if path.exists():
            os.truncate(path, self._dice.randint(0, path.stat().st_size))
            self._rest.pop(path, None)

    def _rewrite(self, path: Path) -> None:
        kept = path.read_bytes() if path.exists() else b""
        lines = kept.splitlines(keepends=True)[: self._dice.randint(0, 9)]
        path.write_bytes(b"".join(lines) + self._some())
        self._rest.pop(path, None)

    def _patch(self, path: Path) -> None:
        if path.exists():
            path.write_bytes(path.read_bytes().replace(b"message ", b"Message ", 1))

    def _replace(self, path: Path) -> None:
        fresh = path.with_suffix(".tmp")
        fresh.write_bytes(self._some())
        fresh.replace(path)
        self._rest.pop(path, None)

    def _rename(self, path: Path) -> None:
        files = sorted(self._house.root.rglob("*.jsonl"))
        if files:
            self._dice.choice(files).rename(path)
            self._rest.clear()

    def _delete(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        self._rest.pop(path, None)

    def _fork(self, path: Path) -> None:
        """Begin a file with the first lines of another, as a session does that goes on from an older one."""
        others = sorted(set(self._house.root.rglob("*.jsonl")) - {path})
        if others:
            other = self._dice.choice(others)
            lines = other.read_bytes().splitlines(keepends=True)
            begin = b"".join(lines[: self._dice.randint(0, len(lines))])
            path.write_bytes(begin.replace(other.stem.encode(), path.stem.encode()))
            self._rest.pop(path, None)

    def _set_clock(self, path: Path) -> None:
        """Let the file have been changed at any time, as where the clock jumps."""
        if path.exists():
            self._house.is_redated = True
            os.utime(path, (0, self._dice.choice([0, 2**31, path.stat().st_mtime - 3600, path.stat().st_mtime + 3600])))


def _state(kind: str) -> dict[str, str]:
    return {"mode": {"mode": "plan"}, "ai-title": {"aiTitle": "Tending the garden"}}.get(kind, {})


async def history(folder: Path, seed: int) -> int:
    """Live through one history, with restarts and kills; return how many messages it had."""
    dice = random.Random(seed)
    house = House(folder)
    hand = Hand(house, dice)
    for _ in range(dice.randint(1, 3)):
        await dice.choices([_live, _die_midway, _die_at_any_time], [4, 3, 1])[0](house, hand, dice)
        for _ in range(dice.randint(0, 3)):
            hand.act()
    async with house.running():
        await house.settled()
        await house.check()
    return house.written


async def _live(house: House, hand: Hand, dice: random.Random) -> None:
    async with house.running():
        await _act(house, hand, dice)


async def _die_midway(house: House, hand: Hand, dice: random.Random) -> None:
    """Be killed between two statements, somewhere in a transaction."""
    async with house.running(kill_after=dice.randint(1, MOST_STATEMENTS)):
        await _act(house, hand, dice)


async def _act(house: House, hand: Hand, dice: random.Random) -> None:
    for _ in range(dice.randint(1, STEPS)):
        hand.act()
        await trio.sleep(dice.choice(PAUSES))
        if dice.random() < 0.1:
            await house.settled()


async def _die_at_any_time(house: House, hand: Hand, dice: random.Random) -> None:
    async with killed_in_the_end(house.folder):
        for _ in range(dice.randint(1, STEPS)):
            hand.act()
            await trio.sleep(dice.choice(PAUSES))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.histories", description=__doc__)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    arguments = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    lines = failed = 0
    for seed in range(arguments.seed, arguments.seed + arguments.count):
        with tempfile.TemporaryDirectory(prefix="ccod-histories-") as folder:
            try:
                lines += trio.run(history, Path(folder), seed)
            except Exception as error:  # noqa: BLE001
                failed += 1
                print(f"FAIL  --count 1 --seed {seed}: {error!r}", flush=True)
    print(f"seed {arguments.seed}: {arguments.count} histories, {lines} messages, {failed} violations")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
