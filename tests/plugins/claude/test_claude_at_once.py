"""Several transcripts are under way at a time; what belongs in an order stays in it."""

# ruff: noqa: ASYNC240 - what a test does to small local files takes no time

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import trio

from ccod import Batch
from ccod.testing.intake import PATIENCE, MemoryIntake
from tests.plugins.claude.claude_house import append, following

LINE = b'{"type":"user"}\n'


class Stalling(MemoryIntake):
    """Holds a batch that `stalls`, as a storage that is busy does, until it is `released`."""

    def __init__(self, stalls: Callable[[Batch], bool]) -> None:
        super().__init__()
        self._stalls = stalls
        self.stalled, self.released = trio.Event(), trio.Event()

    async def send(self, batch: Batch) -> None:
        if self._stalls(batch):
            self.stalled.set()
            await self.released.wait()
        await super().send(batch)


async def test_one_that_is_being_stored_keeps_no_other_waiting(root: Path, file: Path) -> None:
    other = file.with_name("b.jsonl")
    other.write_bytes(LINE)
    intake = Stalling(lambda batch: batch.stream.path == str(file) and not batch.history)
    async with following(root, intake):
        await intake.has(file, LINE)
        await intake.has(other, LINE)
        append(file, LINE)
        with trio.fail_after(PATIENCE):
            await intake.stalled.wait()
        append(other, LINE)
        await intake.has(other, 2 * LINE)
        assert intake.bytes[str(file)] == LINE
        intake.released.set()
        await intake.has(file, 2 * LINE)


async def test_what_stands_in_a_files_place_is_sent_after_its_end(root: Path, file: Path) -> None:
    other, again = file.with_name("b.jsonl"), b'{"type":"assistant"}\n'
    intake = Stalling(lambda batch: batch.change == "rewrite")
    async with following(root, intake):
        await intake.has(file, LINE)
        file.write_bytes(again)
        with trio.fail_after(PATIENCE):
            await intake.stalled.wait()
        append(file, again)  # so that a scan comes to what stands there now
        other.write_bytes(LINE)  # and to this after it
        await intake.has(other, LINE)
        append(other, LINE)
        await intake.has(other, 2 * LINE)
        assert f"{file}#2" not in intake.bytes
        intake.released.set()
        await intake.has(f"{file}#2", 2 * again)
    assert [batch.change for batch in intake.of(file)] == ["add", "rewrite"]
