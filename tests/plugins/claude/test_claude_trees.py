"""What watchfiles tells of whole trees, and what is said where it cannot watch."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
import trio

from ccod_jsonl.trees import TreeWatcher
from tests.plugins.claude.claude_house import append, no_more_descriptors

PATIENCE = 10
LINE = b'{"type":"user"}\n'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "root" / "p").mkdir(parents=True)
    return tmp_path / "root"


async def test_what_changes_in_a_tree_is_told_of(root: Path) -> None:
    """A file by its path; what went, and a new folder, puts everything in doubt, and so does the beginning.

    It watches from some moment on, of which it does not tell: what is done is done again until it was seen.
    """
    told: list[str | None] = []
    watcher = TreeWatcher([str(root), str(root / "nowhere")], (".jsonl",))

    async def is_told(expected: str | None, do: Callable[[int], object]) -> None:
        told.clear()
        with trio.fail_after(PATIENCE):
            for number in count():
                do(number)
                await trio.sleep(0.1)
                if expected in told:
                    break

    folder = root / "p"
    (folder / "b.jsonl").write_bytes(LINE)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(watcher.run, told.append)
        await is_told(None, lambda _: None)
        await is_told(str(folder / "a.jsonl"), lambda _: append(folder / "a.jsonl", LINE))
        (folder / "b.other").write_bytes(LINE)
        await is_told(str(folder / "b.jsonl"), lambda _: append(folder / "b.jsonl", LINE))
        assert {*told} <= {str(folder / "a.jsonl"), str(folder / "b.jsonl")}
        await is_told(None, lambda number: (folder / f"{number}").mkdir())
        await is_told(None, lambda _: (folder / "a.jsonl").unlink(missing_ok=True))
        assert {*told} == {None}
        nursery.cancel_scope.cancel()
    assert (watcher.trouble, watcher.folders, watcher.enter(str(root))) == (None, 0, True)


async def test_where_nothing_can_be_watched_it_is_said(root: Path) -> None:
    watcher = TreeWatcher([str(root)], (".jsonl",))
    async with trio.open_nursery() as nursery:
        with no_more_descriptors():
            nursery.start_soon(watcher.run, lambda _: None)
            with trio.fail_after(PATIENCE):
                while watcher.trouble is None:
                    await trio.sleep(0.001)
        nursery.cancel_scope.cancel()
    assert watcher.trouble.code == "WATCH_UNAVAILABLE"
    assert "watchfiles: " in watcher.trouble.text
