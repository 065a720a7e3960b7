"""How often every file is looked at: seldom while nothing happens, often as soon as something does."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import trio
from trio.testing import MockClock

from ccod import Reason
from ccod_claude.settings import ClaudeSettings
from ccod_claude.source import LAYOUT
from ccod_jsonl.catalogue import Catalogue
from ccod_jsonl.lanes import Checks, Lanes
from ccod_jsonl.scanning import Scanner
from ccod_jsonl.transcripts import NOWHERE, Found, Transcript
from ccod_jsonl.watching import Changed, Kind

SESSION = "6a1f4d4e-0b7e-4d57-9c1d-2f60f5f5a001"


class Told:
    """A watcher that a test tells how it is."""

    kind: Kind = "none"
    folders = 0
    trouble: Reason | None = None
    has_room = True

    def enter(self, folder: str) -> bool:
        return self.has_room

    async def run(self, changed: Changed) -> None:
        await trio.sleep_forever()


async def looked_at(root: Path, watcher: Told, looks: int, *, change_at: int | None = None) -> list[int]:
    """Return the pauses before so many looks, in seconds; a file comes just before one of them."""
    settings = ClaudeSettings(roots=[str(root)], scan_interval=2, scan_interval_idle=30)
    scanner = Scanner(settings, [str(root)], Catalogue([], [str(root)], 300, LAYOUT), Lanes(60), watcher)
    await scanner.survey()
    times = [trio.current_time()]

    def goes_on() -> bool:
        times.append(trio.current_time())
        if change_at == len(times) - 1:
            (root / "p" / f"{SESSION}.jsonl").write_bytes(b'{"type":"user"}\n')
        return len(times) <= looks + 1

    await scanner.serve(goes_on, lambda _: None)
    return [round(after - before) for before, after in pairwise(times[1:])]


async def test_the_pause_doubles_while_nothing_happens(tmp_path: Path, autojump_clock: MockClock) -> None:
    (tmp_path / "p").mkdir()
    assert await looked_at(tmp_path, Told(), 6) == [4, 8, 16, 30, 30, 30]


async def test_the_pause_is_short_again_after_a_change(tmp_path: Path, autojump_clock: MockClock) -> None:
    (tmp_path / "p").mkdir()
    assert await looked_at(tmp_path, Told(), 4, change_at=3) == [4, 8, 16, 2]


async def test_the_pause_stays_short_where_nobody_watches(tmp_path: Path, autojump_clock: MockClock) -> None:
    (tmp_path / "p").mkdir()
    full, broken = Told(), Told()
    full.has_room = False
    broken.trouble = Reason("WATCH_UNAVAILABLE", "nothing tells of changes", "")
    for watcher in (full, broken):
        assert await looked_at(tmp_path, watcher, 3) == [2, 2, 2]


async def test_a_check_is_due_at_once_or_when_nobody_wrote_for_a_while(autojump_clock: MockClock) -> None:
    checks = Checks(60)
    one, other, third = (Transcript(Found(name, "/", (name,), NOWHERE)) for name in "abc")
    checks.put(one, at_once=False)
    checks.put(other, at_once=True)
    assert (await checks.take(), trio.current_time()) == (other, 0)
    await trio.sleep(30)
    checks.put(third, at_once=False)
    checks.put(one, at_once=False)
    await trio.sleep(30)
    checks.put(third, at_once=False)
    assert (await checks.take(), trio.current_time()) == (one, 90)
    assert (await checks.take(), trio.current_time()) == (third, 120)
