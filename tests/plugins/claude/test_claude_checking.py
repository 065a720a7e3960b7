"""What a check finds is told, whatever the reader does at that moment."""

from __future__ import annotations

from pathlib import Path
from zlib import crc32

import pytest
import trio

from ccod.testing.intake import MemoryIntake
from ccod_claude.source import LAYOUT
from ccod_jsonl import sending
from ccod_jsonl.catalogue import Catalogue
from ccod_jsonl.checking import PORTION, check
from ccod_jsonl.files import Reading, look, read_on, survey
from ccod_jsonl.lanes import Lanes
from ccod_jsonl.reading import Position
from ccod_jsonl.sending import Sender
from ccod_jsonl.transcripts import Mark, Transcript

PATIENCE = 5
LINE = b'{"type":"user"}\n'
HALF = b'{"type":"us'


async def test_a_check_may_end_while_the_file_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reading that began before says nothing of what the check found: the next one does."""
    file = tmp_path / "p" / "s.jsonl"
    file.parent.mkdir()
    file.write_bytes(LINE + HALF)
    intake, lanes = MemoryIntake(), Lanes(check_after=3600)
    catalogue = Catalogue([], [str(tmp_path)], history_after=300, layout=LAYOUT)
    catalogue.have_seen_all()
    seen = survey(LAYOUT, [str(tmp_path)], lambda _: True, catalogue.found_at)
    (transcript,) = catalogue.note(seen.found, all_paths={})

    def checked_meanwhile(transcript: Transcript, max_line: int) -> Reading | None:
        reading = read_on(transcript, max_line)
        if transcript.unchecked and not transcript.proved:
            transcript.proved = transcript.again = True
        return reading

    async with trio.open_nursery() as nursery:
        nursery.start_soon(Sender(intake, catalogue, lanes, lambda _: None, 1000).serve, lanes.live)
        lanes.put(transcript)
        await intake.has(file, LINE)
        monkeypatch.setattr(sending, "read_on", checked_meanwhile)
        lanes.put(transcript)
        await intake.until(lambda: intake.rest[str(file)] == HALF)
        nursery.cancel_scope.cancel()
    assert not transcript.unchecked


class Checked:
    """A transcript of which all was read, in a house where it can be checked."""

    def __init__(self, root: Path, content: bytes) -> None:
        self.file = root / "p" / "s.jsonl"
        self.file.parent.mkdir()
        self.file.write_bytes(content)
        (found,) = look(LAYOUT, [str(root)], [str(self.file)])
        end = len(content)
        self.lanes = Lanes(check_after=0)
        self.transcript = Transcript(found, position=Position(end, 0, end), mark=Mark(whole=crc32(content)))

    async def outcome(self, *, patience: float = PATIENCE) -> tuple[bool, bool] | None:
        """Return whether it was proved, and found rewritten; None if nothing came of it."""
        self.lanes.checks.put(self.transcript, at_once=True)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(check, self.lanes)
            with trio.move_on_after(patience) as waited:
                assert await self.lanes.live.take() is self.transcript
            nursery.cancel_scope.cancel()
        return None if waited.cancelled_caught else (self.transcript.proved, self.transcript.rewritten)


@pytest.mark.parametrize("length", [0, 1, PORTION, 2 * PORTION + 1])
async def test_what_still_stands_there_is_proved(tmp_path: Path, length: int) -> None:
    assert await Checked(tmp_path, b"x" * length).outcome() == (True, False)


@pytest.mark.parametrize("at", [0, PORTION - 1, PORTION, 2 * PORTION])
async def test_what_was_changed_in_any_portion_is_rewritten(tmp_path: Path, at: int) -> None:
    checked = Checked(tmp_path, b"x" * (2 * PORTION + 1))
    with checked.file.open("rb+") as file:
        file.seek(at)
        file.write(b"y")
    assert await checked.outcome() == (False, True)


async def test_what_was_appended_since_is_not_looked_at(tmp_path: Path) -> None:
    checked = Checked(tmp_path, LINE)
    with checked.file.open("ab") as file:
        file.write(HALF)
    assert await checked.outcome() == (True, False)


@pytest.mark.parametrize("what", ["went", "was replaced", "gone", "superseded", "misses"])
async def test_nothing_comes_of_a_check_that_something_overtook(tmp_path: Path, what: str) -> None:
    checked = Checked(tmp_path, LINE)
    if what in {"went", "was replaced"}:
        checked.file.rename(tmp_path / "aside")
    if what == "was replaced":
        checked.file.write_bytes(LINE)
    if what in {"gone", "superseded", "misses"}:
        setattr(checked.transcript, what, True)
    assert await checked.outcome(patience=0.05) is None
    assert not checked.transcript.proved
    assert not checked.transcript.rewritten
