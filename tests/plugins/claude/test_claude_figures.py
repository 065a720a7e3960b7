"""What is measured of the source: when files were written, and what of them is watched."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import msgspec
import pytest
import trio

from ccod import Metrics
from ccod.testing.intake import MemoryIntake
from ccod_claude.settings import ClaudeSettings
from ccod_claude.source import ClaudeSource
from tests.plugins.claude.claude_house import following
from tests.plugins.metrics.scraping import read

SESSION = "6a1f4d4e-0b7e-4d57-9c1d-2f60f5f5a001"
LINE = b'{"type":"user"}\n'


async def test_a_batch_says_when_its_file_was_written(tmp_path: Path) -> None:
    file, intake = tmp_path / "-x" / f"{SESSION}.jsonl", MemoryIntake()
    file.parent.mkdir()
    file.write_bytes(LINE)
    written_at = time.time_ns() // 1_000_000 - 2500
    os.utime(file, ns=(0, written_at * 1_000_000))
    async with following(tmp_path, intake):
        await intake.has(file, LINE)
    assert [batch.written_at for batch in intake.of(file) if batch.records] == [written_at]


class Watched(MemoryIntake):
    """Keeps what is told of the way through history."""

    def __init__(self) -> None:
        super().__init__()
        self.ways: list[tuple[int, int]] = []

    def progress(self, done: int, total: int) -> None:
        self.ways.append((done, total))


async def test_how_far_history_is_read_is_told_from_the_beginning_to_the_end(tmp_path: Path) -> None:
    file, intake = tmp_path / "-x" / f"{SESSION}.jsonl", Watched()
    file.parent.mkdir()
    file.write_bytes(LINE * 3)
    async with following(tmp_path, intake):
        await intake.has(file, LINE * 3)
        await intake.until(lambda: len(intake.ways) > 1)
    assert (intake.ways[0], intake.ways[-1]) == ((0, 3 * len(LINE)), (3 * len(LINE), 3 * len(LINE)))


@pytest.mark.parametrize(
    ("watcher", "folders"),
    [
        pytest.param("inotify", 3, marks=pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")),
        ("watchfiles", 0),
        ("none", 0),
    ],
)
async def test_what_is_watched_can_be_seen(tmp_path: Path, watcher: str, folders: int) -> None:
    root, metrics, intake = tmp_path / "projects", Metrics(), MemoryIntake()
    for number in range(2):
        (root / f"-x{number}").mkdir(parents=True)
        (root / f"-x{number}" / f"{SESSION[:-1]}{number}.jsonl").write_bytes(LINE)
    given = {"roots": [str(root), str(tmp_path / "nowhere")], "watcher": watcher}
    kept = msgspec.convert(given | {"scan_interval": 0.02, "scan_interval_idle": 0.02}, ClaudeSettings)
    async with trio.open_nursery() as nursery:

        async def run(*, task_status: trio.TaskStatus[None]) -> None:
            await ClaudeSource(kept, metrics).run(intake, task_status=task_status)

        await nursery.start(run)
        await intake.until(lambda: len(intake.batches) == 2)
        found = read(metrics)
        (root / "-x0" / f"{SESSION[:-1]}0.jsonl").unlink()
        await intake.until(lambda: any(batch.change == "unlink" for batch in intake.batches))
        without = read(metrics)
        nursery.cancel_scope.cancel()
    assert found.sum("ccod_watch_roots") == 2
    assert found.sum("ccod_watch_blind_folders") == 1
    assert without.sum("ccod_watch_overflows_total") == 0
    assert (found.sum("ccod_watch_files"), without.sum("ccod_watch_files")) == (2, 1)
    assert found.sum("ccod_watch_folders") >= folders
    assert (found.sum("ccod_watch_folders") > 0) == (folders > 0)
    assert found.sum("ccod_watch_watcher", watcher=watcher) == found.sum("ccod_watch_watcher") == 1
