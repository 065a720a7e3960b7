"""What inotify tells of a folder, event by event, and what it asks the kernel for."""

# ruff: noqa: ASYNC240 - what a test does to small local files takes no time

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from ccod_jsonl.inotify import AGAIN_SECONDS, Inotify
from tests.plugins.claude.claude_house import no_more_descriptors

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")

PATIENCE = 5
LAST = "last.jsonl"
LINE = b'{"type":"user"}\n'


class Told(list[str | None]):
    """What was told of below a folder, in place of its path."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        self.news = trio.Event()

    def tell(self, path: str | None) -> None:
        self.append(path and str(Path(path).relative_to(self._folder)))
        self.news.set()

    async def until(self, path: str | None) -> None:
        with trio.fail_after(PATIENCE):
            while path not in self:
                self.news = trio.Event()
                await self.news.wait()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "watched"
    folder.mkdir()
    (folder / "a.jsonl").write_bytes(LINE)
    return folder


@asynccontextmanager
async def watched(folder: Path) -> AsyncIterator[Told]:
    """Watch a folder; whatever happened in it, another of its files is written to in the end."""
    told = Told(folder)
    with Inotify((".jsonl", ".txt"), lambda: told.append("overflown")) as inotify:
        assert inotify.enter(str(folder))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(inotify.run, told.tell)
            yield told
            (folder / LAST).write_bytes(LINE)
            await told.until(LAST)
            nursery.cancel_scope.cancel()
    told[:] = [path for path in told if path != LAST]


async def test_each_file_that_changed_is_told_of(folder: Path) -> None:
    names = ["a.jsonl", "b.txt", f"{'long' * 20}.jsonl"]
    async with watched(folder) as told:
        for name in names:
            with (folder / name).open("ab") as file:
                file.write(LINE)
    assert {*told} == {*names}


async def test_a_file_that_was_changed_in_place_is_told_of(folder: Path) -> None:
    async with watched(folder) as told:
        os.truncate(folder / "a.jsonl", 3)
    assert told == ["a.jsonl"]


async def test_reading_and_other_files_are_no_news(folder: Path) -> None:
    """Or else what ccod reads would be news for ccod."""
    async with watched(folder) as told:
        assert (folder / "a.jsonl").read_bytes() == LINE
        assert len([*folder.iterdir()]) == 1
        (folder / "a.jsonl").chmod(0o600)
        (folder / "a.other").write_bytes(LINE)
    assert told == []


async def test_a_file_that_comes_from_elsewhere_is_told_of(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(LINE)
    async with watched(folder) as told:
        (tmp_path / "elsewhere").rename(folder / "b.jsonl")
    assert told == ["b.jsonl"]


async def test_a_new_name_is_told_of(folder: Path) -> None:
    async with watched(folder) as told:
        (folder / "b.jsonl").hardlink_to(folder / "a.jsonl")
    assert told == ["b.jsonl"]


@pytest.mark.parametrize("how", ["unlink", "move", "make a folder", "remove a folder"])
async def test_what_went_and_folders_put_everything_in_doubt(folder: Path, tmp_path: Path, how: str) -> None:
    (folder / "inner").mkdir()
    async with watched(folder) as told:
        if how == "unlink":
            (folder / "a.jsonl").unlink()
        elif how == "move":
            (folder / "a.jsonl").rename(tmp_path / "a.jsonl")
        elif how == "make a folder":
            (folder / "new").mkdir()
        else:
            (folder / "inner").rmdir()
    assert told == [None]


@pytest.mark.parametrize("how", ["remove", "move"])
async def test_a_watched_folder_that_went_puts_everything_in_doubt(folder: Path, tmp_path: Path, how: str) -> None:
    told = Told(folder)
    with Inotify((".jsonl",), lambda: None) as inotify:
        inotify.enter(str(folder))
        assert inotify.folders == 1
        async with trio.open_nursery() as nursery:
            nursery.start_soon(inotify.run, told.tell)
            if how == "remove":
                (folder / "a.jsonl").unlink()
                folder.rmdir()
                with trio.fail_after(PATIENCE):
                    while inotify.folders:
                        await trio.sleep(0.001)
            else:
                folder.rename(tmp_path / "away")
            await told.until(None)
            nursery.cancel_scope.cancel()
    assert {*told} == {None}


async def test_many_events_at_once_are_told_of_by_their_folders(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("one", "other")]
    told = Told(tmp_path)
    with Inotify((".jsonl",), lambda: None) as inotify:
        for folder in folders:
            folder.mkdir()
            assert inotify.enter(str(folder))
            assert inotify.enter(str(folder))
        assert inotify.folders == 2
        expected = {f"{folder.name}/{'x' * number}.jsonl" for folder in folders for number in range(1, 60)}
        for name in expected:
            (tmp_path / name).touch()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(inotify.run, told.tell)
            with trio.fail_after(PATIENCE):
                while not expected <= {*told}:
                    await trio.sleep(0.001)
            nursery.cancel_scope.cancel()
    assert {*told} == expected


def test_only_folders_are_watched_and_what_is_none_needs_no_room(folder: Path) -> None:
    with Inotify((".jsonl",), lambda: None) as inotify:
        assert inotify.enter(str(folder / "a.jsonl"))
        assert inotify.enter(str(folder / "nowhere"))
        assert inotify.folders == 0


def test_its_descriptor_is_closed_and_no_child_has_it() -> None:
    before = _descriptors()
    with Inotify((".jsonl",), lambda: None):
        (mine,) = _descriptors() - before
        assert not os.get_inheritable(mine)
        assert not os.get_blocking(mine)
    assert _descriptors() == before


def _descriptors() -> set[int]:
    """Return those of inotify that this process has."""
    return {int(each.name) for each in Path("/proc/self/fd").iterdir() if "inotify" in os.path.realpath(each)}


async def test_where_there_is_none_to_have_it_is_said_and_asked_again(folder: Path, autojump_clock: MockClock) -> None:
    told: list[str | None] = []
    with no_more_descriptors():
        inotify = Inotify((".jsonl",), lambda: None)
        inotify.__enter__()
    try:
        assert not inotify.enter(str(folder))
        assert inotify.folders == 0
        assert inotify.trouble is not None
        assert inotify.trouble.code == "WATCH_UNAVAILABLE"
        assert "Too many open files" in inotify.trouble.text
        async with trio.open_nursery() as nursery:
            nursery.start_soon(inotify.run, told.append)
            await trio.sleep(AGAIN_SECONDS - 1)
            assert inotify.trouble is not None
            assert told == []
            await trio.sleep(2)
            nursery.cancel_scope.cancel()
        assert inotify.trouble is None
        assert told == [None]
        assert inotify.enter(str(folder))
    finally:
        inotify.__exit__(None, None, None)


def test_where_there_is_none_to_have_none_is_closed() -> None:
    with no_more_descriptors(), Inotify((".jsonl",), lambda: None) as inotify:
        assert inotify.trouble is not None
