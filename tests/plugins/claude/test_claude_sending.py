"""What is sent of a file that grows, moves, is cut off, replaced, cannot be read, or goes."""

# ruff: noqa: ASYNC240 - what a test does to small local files takes no time

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import structlog
import trio

from ccod import Batch
from ccod.testing.intake import MemoryIntake
from ccod_claude.source import LAYOUT
from ccod_jsonl.catalogue import Catalogue
from ccod_jsonl.files import HEAD, look, survey
from ccod_jsonl.lanes import Lanes
from ccod_jsonl.sending import Sender
from ccod_jsonl.transcripts import Transcript

PATIENCE = 5
LINE = b'{"type":"user"}\n'


class Watched(MemoryIntake):
    """Keeps what is told of the way through history."""

    def __init__(self) -> None:
        super().__init__()
        self.ways: list[tuple[int, int]] = []

    def progress(self, done: int, total: int) -> None:
        self.ways.append((done, total))
        self._news.set()


class House:
    """A sender, and what it works for; nothing is looked at but when a test says so."""

    def __init__(self, root: Path) -> None:
        self._root = str(root)
        self.intake, self.lanes, self.doubts = Watched(), Lanes(check_after=3600), list[None]()
        self.catalogue = Catalogue([], [self._root], 300, LAYOUT)
        self.sender = Sender(self.intake, self.catalogue, self.lanes, self.doubts.append, 100_000)

    @asynccontextmanager
    async def sending(self) -> AsyncIterator[None]:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.sender.serve, self.lanes.live)
            nursery.start_soon(self.sender.serve, self.lanes.history)
            yield
            nursery.cancel_scope.cancel()

    def look(self, *, put: bool = True) -> list[Transcript]:
        """Look at every file, and let what changed be read."""
        seen = survey(LAYOUT, [self._root], lambda _: True, self.catalogue.found_at)
        changed = self.catalogue.note(seen.found, all_paths={found.path: found for found in seen.found})
        self.catalogue.miss(seen)
        for transcript in changed if put else ():
            self.lanes.put(transcript)
        return changed

    async def read(self, transcript: Transcript) -> None:
        """Let one be read, and wait until it was."""
        self.lanes.put(transcript)
        marker = Transcript(transcript.found)  # stands nowhere in the catalogue, so that nothing is read of it
        marker.again = True
        self.lanes.live.put(marker, first=False)
        with trio.fail_after(PATIENCE):
            while marker.again or marker.held:
                await trio.sleep(0.001)

    async def sent(self, number: int) -> list[Batch]:
        await self.intake.until(lambda: len(self.intake.batches) >= number)
        assert len(self.intake.batches) == number
        return self.intake.batches

    def state(self, key: Path | str) -> dict[str, Any]:
        """Return what is stored of a stream beside its offset."""
        state: dict[str, Any] = json.loads(self.intake.streams[str(key)][1].state)
        return state


@pytest.fixture
def house(root: Path, file: Path) -> House:
    """A house in which every file is news."""
    house = House(root)
    house.catalogue.have_seen_all()
    return house


def append(file: Path, data: bytes) -> None:
    with file.open("ab") as opened:
        opened.write(data)


async def test_what_a_batch_says(house: House, file: Path) -> None:
    async with house.sending():
        house.look()
        await house.sent(1)
        append(file, LINE)
        house.look()
        first, second = await house.sent(2)
    assert (first.change, first.size, first.history, first.checkpoint.offset) == ("add", 16, False, 16)
    assert (second.change, second.size, second.history, second.checkpoint.offset) == ("change", 32, False, 32)
    assert (first.stream.key, first.stream.path, first.stream.conversation) == (str(file), str(file), "a")
    assert first.written_at is not None
    assert house.intake.ways == []


async def test_what_has_nothing_new_is_not_sent(house: House, file: Path) -> None:
    async with house.sending():
        (transcript,) = house.look(put=False)
        await house.read(transcript)
        await house.read(transcript)
        append(file, LINE[:4])
        house.look(put=False)
        await house.read(transcript)
        assert transcript.is_read
    assert [batch.change for batch in house.intake.batches] == ["add"]


async def test_history_is_read_one_file_after_the_other_and_its_way_is_told(root: Path, file: Path) -> None:
    file.write_bytes(LINE * 2500)
    os.utime(file, (1_600_000_000, 1_600_000_000))
    newer = file.with_name("b.jsonl")
    newer.write_bytes(LINE * 2500)
    house = House(root)
    house.look()
    async with house.sending():
        await house.sent(6)
        await house.intake.until(lambda: len(house.intake.ways) == 6)
    assert [batch.stream.path for batch in house.intake.batches] == [str(newer)] * 3 + [str(file)] * 3
    assert all(batch.history for batch in house.intake.batches)
    steps = [1000 * 16, 2000 * 16, 2500 * 16]
    assert house.intake.ways == [(done, 5000 * 16) for done in (*steps, *(2500 * 16 + step for step in steps))]


async def test_news_that_come_while_a_file_is_read_are_read_thereafter(house: House, file: Path) -> None:
    house.intake.pause = 0.01
    async with house.sending():
        (transcript,) = house.look()
        with trio.fail_after(PATIENCE):
            while not transcript.held or transcript.position.offset == 0:
                await trio.sleep(0.001)
        append(file, LINE)
        house.lanes.put(transcript)
        await house.intake.has(file, LINE * 2)
        await house.read(transcript)
    assert (transcript.held, transcript.again) == (False, False)


async def test_a_file_that_went_is_told_of_once_and_its_return_too(house: House, file: Path) -> None:
    async with house.sending():
        (transcript,) = house.look()
        await house.sent(1)
        file.rename(file.with_name("aside"))
        house.look()
        await house.read(transcript)
        await house.sent(1)
        house.look()
        await house.read(transcript)
        await house.read(transcript)
        gone = (await house.sent(2))[1]
        assert house.state(file)["gone"]
        file.with_name("aside").rename(file)
        house.look()
        back = (await house.sent(3))[2]
    assert (gone.change, gone.records, gone.checkpoint.offset) == ("unlink", (), 16)
    assert (back.change, back.records, back.stream.key) == ("change", [], str(file))
    assert not house.state(file).get("gone")


async def test_of_a_file_that_went_before_it_was_read_nothing_is_told(house: House, file: Path) -> None:
    async with house.sending():
        (transcript,) = house.look(put=False)
        file.unlink()
        await house.read(transcript)
        assert house.catalogue.at(str(file)) is transcript
        house.look()
        house.look()
        await house.read(transcript)
    assert house.catalogue.at(str(file)) is None
    assert (house.intake.batches, house.doubts) == ([], [])


async def test_history_that_went_is_no_history_any_more(root: Path, file: Path) -> None:
    house = House(root)
    (transcript,) = house.look(put=False)
    transcript.misses = 2
    async with house.sending():
        house.lanes.put(transcript)
        await house.intake.until(lambda: house.intake.ways)
    assert house.intake.ways == [(16, 16)]


async def test_a_rewritten_file_that_went_before_it_was_read_is_told_of(house: House, file: Path) -> None:
    async with house.sending():
        (transcript,) = house.look()
        await house.sent(1)
        successor = house.catalogue.succeed(transcript)
        successor.misses = 2
        await house.read(successor)
        (_, gone) = await house.sent(2)
    assert (gone.change, gone.stream.key, transcript.gone) == ("unlink", str(file), True)
    assert house.catalogue.at(str(file)) is None


async def test_another_file_in_its_place_asks_for_a_look(house: House, file: Path) -> None:
    async with house.sending():
        (transcript,) = house.look(put=False)
        file.rename(file.with_name("aside"))
        file.write_bytes(LINE)
        await house.read(transcript)
    assert (house.doubts, house.intake.batches) == ([None], [])


async def test_a_file_that_cannot_be_read_is_said_once_and_tried_again(house: House, file: Path) -> None:
    folder, away = file.parent, file.parent.with_name("away")
    async with house.sending():
        (transcript,) = house.look()
        await house.sent(1)
        for _ in range(2):
            folder.rename(away)
            folder.symlink_to(away)
            with structlog.testing.capture_logs() as logs:
                await house.read(transcript)
                await house.read(transcript)
            assert [entry["log_level"] for entry in logs] == ["warning"]
            assert transcript.signature is None
            folder.unlink()
            away.rename(folder)
            assert house.look(put=False) == [transcript]
            await house.read(transcript)
            assert transcript.is_read
    assert len(house.intake.batches) == 1


async def test_a_file_that_was_cut_off_ends_and_another_stream_begins(house: House, file: Path) -> None:
    file.write_bytes(LINE * 3)
    async with house.sending():
        (old,) = house.look()
        await house.sent(1)
        os.truncate(file, 16)
        house.look()
        _, ended, begun = await house.sent(3)
    assert (ended.change, ended.records, ended.size, ended.stream.key) == ("rewrite", (), 16, str(file))
    assert (begun.change, begun.size, begun.stream.key) == ("add", 16, f"{file}#2")
    assert house.state(file)["superseded"]
    assert house.state(f"{file}#2")["generation"] == 2
    assert not house.state(f"{file}#2").get("superseded")
    assert old.history_end == 0


async def test_history_that_was_cut_off_while_it_was_read(root: Path, file: Path) -> None:
    file.write_bytes(LINE * 2500)
    house = House(root)
    house.intake.takes_history = trio.Event()
    async with house.sending():
        (old,) = house.look()
        with trio.fail_after(PATIENCE):
            while old.position.offset == 0:
                await trio.sleep(0.001)
        os.truncate(file, 16)
        house.intake.takes_history.set()
        await house.intake.has(f"{file}#2", LINE)
        await house.intake.until(lambda: len(house.intake.ways) == 2)
    assert house.intake.ways[-1] == (2500 * 16, 2500 * 16)


async def test_a_file_that_moved_and_was_rewritten_is_gone_and_another_is_there(house: House, file: Path) -> None:
    file.write_bytes(LINE * 3)
    there = file.with_name("b.jsonl")
    async with house.sending():
        house.look()
        await house.sent(1)
        file.rename(there)
        there.write_bytes(b"another\n")
        house.look()
        _, gone, begun = await house.sent(3)
    assert (gone.change, gone.stream.key) == ("unlink", str(file))
    assert (begun.change, begun.stream.key, begun.stream.path) == ("add", str(there), str(there))


async def test_a_file_that_moved_goes_on_at_its_new_path(house: House, file: Path) -> None:
    there = file.with_name("b.jsonl")
    async with house.sending():
        house.look()
        await house.sent(1)
        file.rename(there)
        house.look()
        _, moved = await house.sent(2)
    assert (moved.change, moved.records, moved.stream.key, moved.stream.path) == ("change", [], str(file), str(there))


async def test_one_whose_place_another_took_is_not_begun_anew(house: House, file: Path) -> None:
    async with house.sending():
        (transcript,) = house.look()
        await house.sent(1)
        house.catalogue.succeed(transcript)
        transcript.rewritten = True
        await house.read(transcript)
    assert len(house.intake.batches) == 1
    assert not transcript.superseded


async def test_one_that_was_put_aside_before_it_was_read_is_not_read(house: House, file: Path) -> None:
    async with house.sending():
        (transcript,) = house.look(put=False)
        house.catalogue.succeed(transcript)
        await house.read(transcript)
    assert house.intake.batches == []


async def due(house: House) -> Transcript:
    with trio.fail_after(PATIENCE):
        return await house.lanes.checks.take()


async def is_none_due(house: House) -> bool:
    with trio.move_on_after(0.02) as waited:
        await house.lanes.checks.take()
    return waited.cancelled_caught


async def test_a_file_that_did_not_grow_is_checked_at_once_and_one_that_grew_later(house: House, file: Path) -> None:
    file.write_bytes(b"x" * 3 * HEAD + b"\n")
    async with house.sending():
        (transcript,) = house.look(put=False)
        await house.read(transcript)
        assert not transcript.unchecked
        await house.read(transcript)
        assert not transcript.unchecked
        append(file, LINE)
        await house.read(transcript)
        assert transcript.unchecked
        assert house.state(file)["unchecked"]
        assert await is_none_due(house)
        content = bytearray(file.read_bytes())
        content[2 * HEAD] = ord("y")
        file.write_bytes(content)
        await house.read(transcript)
        assert await due(house) is transcript


async def test_what_was_proved_is_no_more_unchecked_and_is_told(house: House, file: Path) -> None:
    async with house.sending():
        (transcript,) = house.look(put=False)
        await house.read(transcript)
        append(file, LINE)
        await house.read(transcript)
        transcript.proved = True
        await house.read(transcript)
        assert (transcript.unchecked, transcript.proved) == (False, False)
        await house.read(transcript)
        (*_, proved) = await house.sent(3)
    assert (proved.change, proved.records, proved.rest) == (None, [], b"")
    assert not house.state(file).get("unchecked")


async def test_a_line_that_was_begun_behind_the_history_is_checked(root: Path, file: Path) -> None:
    """The reading that ends with the history sees the file as it is by then, and not what stands behind."""
    house = House(root)
    (transcript,) = house.look(put=False)
    append(file, LINE[:4])
    async with house.sending():
        await house.read(transcript)
        await house.sent(1)
        await house.read(transcript)
        assert transcript.unchecked
        transcript.proved = True
        await house.read(transcript)
        *_, kept = await house.sent(2)
    assert (kept.rest, transcript.unchecked) == (LINE[:4], False)


async def test_a_line_that_is_open_at_the_first_reading_is_checked(house: House, file: Path) -> None:
    file.write_bytes(LINE[:4])
    (found,) = look(LAYOUT, [str(file.parents[1])], [str(file)])
    async with house.sending():
        (transcript,) = house.catalogue.note([found], all_paths={})
        await house.read(transcript)
        assert transcript.unchecked
        assert await is_none_due(house)
        assert (house.intake.batches, transcript.stream) == ([], None)
        transcript.proved = True
        await house.read(transcript)
    assert (house.intake.batches, transcript.unchecked) == ([], False)
