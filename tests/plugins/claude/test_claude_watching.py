"""Watchers tell of changes long before the next scan would."""

# ruff: noqa: ASYNC240 - what a test does to small local files takes no time

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import trio

from ccod import Metrics
from ccod.testing.intake import MemoryIntake
from tests.plugins.claude.claude_house import append, following
from tests.plugins.metrics.scraping import read

SESSION = "6a1f4d4e-0b7e-4d57-9c1d-2f60f5f5a001"
LINE = b'{"type":"user"}\n'
NEVER: dict[str, Any] = {"scan_interval": 3600, "scan_interval_idle": 3600}

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")
each_watcher = pytest.mark.parametrize("watcher", [pytest.param("inotify", marks=on_linux), "watchfiles"])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "projects"
    (root / "-home-me").mkdir(parents=True)
    return root


@pytest.fixture
def intake() -> MemoryIntake:
    return MemoryIntake()


@each_watcher
async def test_appends_and_new_files(root: Path, intake: MemoryIntake, watcher: str) -> None:
    file = root / "-home-me" / f"{SESSION}.jsonl"
    async with following(root, intake, watcher=watcher, **NEVER):
        file.write_bytes(LINE)
        await intake.has(file, LINE)
        for number in range(2, 20):
            append(file, LINE)
            await intake.has(file, number * LINE)


@each_watcher
async def test_moves_and_deletions(root: Path, intake: MemoryIntake, watcher: str) -> None:
    file = root / "-home-me" / f"{SESSION}.jsonl"
    file.write_bytes(LINE)
    async with following(root, intake, watcher=watcher, **NEVER):
        await intake.until(lambda: intake.batches)
        fresh = file.with_suffix(".tmp")
        fresh.write_bytes(b"replaced\n")
        fresh.replace(file)
        await intake.has(f"{file}#2", b"replaced\n")
        target = root / "-home-you"
        file.parent.rename(target)
        await intake.until(lambda: intake.batches[-1].stream.path == str(target / file.name))
        (target / file.name).unlink()
        await intake.until(lambda: intake.batches[-1].change == "unlink")


@on_linux
async def test_folders_made_in_a_burst(root: Path, intake: MemoryIntake) -> None:
    async with following(root, intake, watcher="inotify", **NEVER):
        for number in range(100):
            folder = root / f"p{number}" / SESSION / "subagents"
            folder.mkdir(parents=True)
            append(folder / "agent-a.jsonl", LINE)
        await intake.until(lambda: len(intake.batches) == 100)
    assert set(intake.bytes.values()) == {LINE}
    assert len(intake.bytes) == 100


@each_watcher
async def test_a_root_that_comes_later_and_again(tmp_path: Path, intake: MemoryIntake, watcher: str) -> None:
    root = tmp_path / "projects"
    async with following(root, intake, watcher=watcher, **NEVER):
        await trio.sleep(0.05)
        for number in range(2):
            (root / "p").mkdir(parents=True)
            append(root / "p" / f"{number}.jsonl", LINE)
            await intake.until(lambda: intake.batches)
            intake.batches.clear()
            root.rename(tmp_path / f"away{number}")
            await trio.sleep(0.05)


@on_linux
async def test_more_events_than_the_kernel_keeps(root: Path, intake: MemoryIntake) -> None:
    files = [root / "-home-me" / f"{name}.jsonl" for name in ("a", "b", "c")]
    for file in files:
        file.write_bytes(LINE)
    most = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    if most > 50_000:
        pytest.skip(f"this kernel keeps {most} events: too many to make in a test")
    metrics = Metrics()
    async with following(root, intake, metrics, watcher="inotify", **NEVER):
        await intake.until(lambda: len(intake.batches) == 3)
        assert read(metrics).sum("ccod_watch_overflows_total") == 0
        with files[0].open("ab", buffering=0) as first, files[1].open("ab", buffering=0) as second:
            for _ in range(most // 2 + 1):
                first.write(b"x")
                second.write(b"x")
        append(files[2], LINE)
        await intake.until(lambda: intake.bytes[str(files[2])] == 2 * LINE)
        assert read(metrics).sum("ccod_watch_overflows_total") >= 1


@each_watcher
async def test_a_watcher_ends_soon_when_cancelled(root: Path, intake: MemoryIntake, watcher: str) -> None:
    async with following(root, intake, watcher=watcher, **NEVER):
        await trio.sleep(0.05)
        leaving = trio.current_time()
    assert trio.current_time() - leaving < 3


async def test_a_root_that_went_is_told_of_and_found_again_soon(root: Path, intake: MemoryIntake) -> None:
    file = root / "-home-me" / f"{SESSION}.jsonl"
    file.write_bytes(LINE)
    away = root.with_name("away")
    async with following(root, intake, scan_interval=0.05, scan_interval_idle=3600):
        await intake.has(file, LINE)
        assert intake.reasons == []
        root.rename(away)
        await intake.until(lambda: [reason.code for reason in intake.reasons] == ["ROOT_MISSING"])
        append(away / file.relative_to(root), LINE)
        away.rename(root)
        await intake.has(file, 2 * LINE)
        await intake.until(lambda: intake.reasons == [])
        assert "unlink" not in [batch.change for batch in intake.batches]
        root.rename(away)
    again = intake.restarted()
    async with following(root, again):
        await again.until(lambda: [reason.code for reason in again.reasons] == ["ROOT_MISSING"])


async def test_a_root_that_was_never_there_is_no_trouble(tmp_path: Path, intake: MemoryIntake) -> None:
    root = tmp_path / "projects"
    async with following(root, intake, scan_interval=0.05, scan_interval_idle=3600):
        await trio.sleep(0.3)
        assert intake.reasons == []
        (root / "p").mkdir(parents=True)
        append(root / "p" / "1.jsonl", LINE)
        await intake.until(lambda: intake.batches)
