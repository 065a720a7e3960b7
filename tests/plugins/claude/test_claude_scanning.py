"""When files are looked at, at once or later, what then is put where, and what is told where that cannot be done."""

# ruff: noqa: ASYNC240 - what a test does to small local files takes no time

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from ccod import Checkpoint, Reason, Stream
from ccod_claude.settings import ClaudeSettings
from ccod_claude.source import LAYOUT
from ccod_jsonl.catalogue import Catalogue
from ccod_jsonl.lanes import Lanes
from ccod_jsonl.scanning import MOST_TOLD, Scanner
from ccod_jsonl.transcripts import Transcript
from ccod_jsonl.watching import Changed, Kind

PATIENCE = 5
LINE = b'{"type":"user"}\n'
UNAVAILABLE = Reason("WATCH_UNAVAILABLE", "nothing tells of changes", "")


class Told:
    """A watcher that a test tells how it is, and that notes what it was to enter."""

    kind: Kind = "none"
    folders = 0
    trouble: Reason | None = None
    has_room = True

    def __init__(self) -> None:
        self.entered: list[str] = []
        self.on_entering: Callable[[], None] = lambda: None

    def enter(self, folder: str) -> bool:
        self.entered.append(folder)
        self.on_entering()
        return self.has_room

    async def run(self, changed: Changed) -> None:
        await trio.sleep_forever()


class House:
    """A scanner over some roots, with what it works for."""

    def __init__(
        self, *roots: Path, interval: float = 2, idle: float = 30, known: Sequence[tuple[Stream, Checkpoint]] = ()
    ) -> None:
        paths = [str(root) for root in roots]
        settings = ClaudeSettings(roots=paths, scan_interval=interval, scan_interval_idle=idle)
        self.watcher, self.lanes = Told(), Lanes(60)
        self.catalogue = Catalogue(known, paths, 300, LAYOUT)
        self.scanner = Scanner(settings, paths, self.catalogue, self.lanes, self.watcher)
        self.times: list[float] = []
        self.told: list[Reason] = []

    async def serve(self, looks: int) -> list[float]:
        """Serve for so many looks; return the pauses between them."""

        def goes_on() -> bool:
            self.times.append(trio.current_time())
            return len(self.times) <= looks

        await self.scanner.serve(goes_on, self._tell)
        return [after - before for before, after in pairwise(self.times)]

    def _tell(self, reasons: Sequence[Reason]) -> None:
        self.told = [*reasons]

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        await self.scanner.survey()
        self.catalogue.have_seen_all()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.serve, 1000)
            await trio.testing.wait_all_tasks_blocked()
            yield
            nursery.cancel_scope.cancel()

    async def next_live(self) -> Transcript:
        with trio.fail_after(PATIENCE):
            return await self.lanes.live.take()

    def codes(self) -> list[str]:
        return [reason.code for reason in self.scanner.reasons()]


@pytest.fixture
def quiet(root: Path) -> House:
    """A house in which nothing is looked at by itself."""
    return House(root, interval=3600, idle=3600)


@pytest.mark.parametrize(("kind", "share"), [("none", 100), ("inotify", 300)])
async def test_a_look_that_takes_long_is_followed_by_a_longer_pause(
    root: Path, autojump_clock: MockClock, kind: Kind, share: int
) -> None:
    """Two folders, of which each takes a second."""
    house = House(root)
    house.watcher.kind = kind
    house.watcher.on_entering = lambda: autojump_clock.jump(1)
    await house.scanner.survey()
    assert await house.serve(2) == [pytest.approx(2 + share * 2 + 2)] * 2


async def test_a_broken_watcher_makes_no_pause_longer(root: Path, autojump_clock: MockClock) -> None:
    house = House(root)
    house.watcher.kind, house.watcher.trouble = "inotify", UNAVAILABLE
    house.watcher.on_entering = lambda: autojump_clock.jump(1)
    await house.scanner.survey()
    assert await house.serve(2) == [pytest.approx(2 + 100 * 2 + 2)] * 2


async def test_a_root_that_was_never_there_makes_no_pause_shorter(tmp_path: Path, autojump_clock: MockClock) -> None:
    house = House(tmp_path / "nowhere")
    await house.scanner.survey()
    assert await house.serve(3) == [4, 8, 16]
    assert house.told == []


async def test_everything_is_looked_at_at_once_when_in_doubt(root: Path, autojump_clock: MockClock) -> None:
    house = House(root)
    await house.scanner.survey()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(house.serve, 4)
        await trio.sleep(1)
        house.scanner.hint(None)
    assert house.times == [0, 1, 3, 7, 15]


async def test_a_file_that_was_missed_is_looked_for_once_more_at_once(root: Path, autojump_clock: MockClock) -> None:
    house, file = House(root), root / "p" / "a.jsonl"
    file.write_bytes(LINE)
    await house.scanner.survey()
    transcript = await house.lanes.history.take()
    file.unlink()
    transcript.history_end = 0
    assert await house.serve(3) == [2, 0, 2]
    assert transcript.misses == 3
    assert await house.next_live() is transcript


async def test_a_file_that_is_missed_once_is_not_read(root: Path, autojump_clock: MockClock) -> None:
    house, file = House(root), root / "p" / "a.jsonl"
    file.write_bytes(LINE)
    await house.scanner.survey()
    transcript = await house.lanes.history.take()
    transcript.history_end = 0
    file.rename(root / "aside")
    await house.scanner.survey()
    with trio.move_on_after(1) as waited:
        await house.lanes.live.take()
    assert waited.cancelled_caught
    (root / "aside").rename(file)
    await house.scanner.survey()
    assert (transcript.misses, await house.next_live()) == (0, transcript)


async def test_it_ends_when_it_goes_on_no_more(root: Path, autojump_clock: MockClock) -> None:
    house = House(root)
    assert await house.serve(0) == []
    assert house.watcher.entered == []


async def test_a_new_file_that_is_told_of_is_read_without_a_look_at_all(root: Path, quiet: House) -> None:
    async with quiet.serving():
        before = len(quiet.watcher.entered)
        for name in ("a.jsonl", "b.jsonl"):
            (root / "p" / name).write_bytes(LINE)
            quiet.scanner.hint(str(root / "p" / name))
            assert (await quiet.next_live()).found.path == str(root / "p" / name)
        assert len(quiet.watcher.entered) == before


async def test_a_known_file_that_is_told_of_is_read_at_once(root: Path, quiet: House) -> None:
    files = [root / "p" / os.fsdecode(name) for name in (b"a.jsonl", b"caf\xe9.jsonl")]
    for file in files:
        file.write_bytes(LINE)
    await quiet.scanner.survey()
    first, second = [await quiet.lanes.history.take() for _ in files]
    for each in (first, second):
        quiet.lanes.history.put(each, first=False)
    named = {each.found.parts[-1]: each for each in (first, second)}
    quiet.scanner.hint(str(root / "p" / second.found.parts[-1]))
    assert await quiet.lanes.history.take() is second  # of the past the one that was told of comes first
    named["a.jsonl"].history_end = named[files[1].name].history_end = 0
    for file in files:
        quiet.scanner.hint(str(file))
        assert await quiet.next_live() is named[file.name]


async def test_a_known_file_under_another_name_leads_to_a_look_at_all(root: Path, quiet: House) -> None:
    file = root / "p" / "a.jsonl"
    file.write_bytes(LINE)
    async with quiet.serving():
        transcript = await quiet.lanes.history.take()
        transcript.history_end, transcript.held = 0, True
        before = len(quiet.watcher.entered)
        file.rename(root / "p" / "b.jsonl")
        quiet.scanner.hint(str(root / "p" / "b.jsonl"))
        with trio.fail_after(PATIENCE):
            while transcript.found.path == str(file):
                await trio.sleep(0.001)
        assert transcript.again
        assert len(quiet.watcher.entered) > before


async def test_folders_that_are_not_watched_are_told_of(root: Path) -> None:
    house = House(root)
    house.watcher.has_room = False
    assert house.codes() == []
    await house.scanner.survey()
    (reason,) = house.scanner.reasons()
    assert reason.code == "WATCH_LIMIT"
    assert reason.text.startswith("2 folders")
    house.watcher.trouble = UNAVAILABLE
    assert house.scanner.reasons() == [UNAVAILABLE]
    house.watcher.trouble, house.watcher.has_room = None, True
    await house.scanner.survey()
    assert house.codes() == []


async def test_only_a_root_that_was_there_is_missing(tmp_path: Path, root: Path) -> None:
    house = House(root, tmp_path / "nowhere")
    await house.scanner.survey()
    assert (house.codes(), house.scanner.roots, house.scanner.blind) == ([], 2, 1)
    root.rename(tmp_path / "away")
    await house.scanner.survey()
    (reason,) = house.scanner.reasons()
    assert (reason.code, reason.text) == ("ROOT_MISSING", f"{root}: is not there any more")
    assert house.scanner.blind == 2
    (tmp_path / "away").rename(root)
    await house.scanner.survey()
    assert (house.codes(), house.scanner.blind) == ([], 1)


async def test_a_root_with_transcripts_was_there_before_a_restart(tmp_path: Path) -> None:
    path = f"{tmp_path}/root/p/a.jsonl"
    known = [(Stream(path, "claude", path, "a"), Checkpoint(10, "{}"))]
    house = House(tmp_path / "root", tmp_path / "other", known=known)
    await house.scanner.survey()
    assert [reason.text for reason in house.scanner.reasons()] == [f"{tmp_path}/root: is not there any more"]


async def test_what_is_no_folder_is_told_of_and_of_many_some(tmp_path: Path) -> None:
    files = [tmp_path / f"{number}" for number in range(MOST_TOLD + 1)]
    for file in files:
        file.write_bytes(b"")
    house = House(*files)
    await house.scanner.survey()
    assert house.scanner.blind == len(files)
    assert house.codes() == ["FOLDER_UNREADABLE"] * MOST_TOLD
    assert house.scanner.reasons()[0].text == f"{files[0]}: Not a directory"
    files[0].unlink()
    files[0].mkdir()
    await house.scanner.survey()
    assert house.scanner.blind == MOST_TOLD
