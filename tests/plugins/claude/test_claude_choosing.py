"""Which watcher a setting stands for."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from ccod_jsonl.choosing import open_watcher


@pytest.mark.parametrize("asked", ["auto", "inotify", "watchfiles", "none"])
def test_the_watcher_that_was_asked_for(tmp_path: Path, asked: Any) -> None:
    on_linux = sys.platform == "linux"
    if asked == "inotify" and not on_linux:
        pytest.skip("inotify is Linux's")
    expected = asked if asked != "auto" else "inotify" if on_linux else "watchfiles"
    with open_watcher(asked, [str(tmp_path)], (".jsonl",), lambda: None) as watcher:
        assert (watcher.kind, watcher.folders, watcher.trouble) == (expected, 0, None)
        assert watcher.enter(str(tmp_path))
        assert watcher.folders == (expected == "inotify")


async def test_without_a_watcher_nothing_is_told(autojump_clock: MockClock) -> None:
    told: list[str | None] = []
    with open_watcher("none", [], (), lambda: None) as watcher, trio.move_on_after(1000) as waited:
        await watcher.run(told.append)
    assert waited.cancelled_caught
    assert told == []
