"""What a check finds is told, whatever the reader does at that moment."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

from ccod.testing.intake import MemoryIntake
from ccod_claude.source import LAYOUT
from ccod_jsonl import sending
from ccod_jsonl.catalogue import Catalogue
from ccod_jsonl.files import Reading, read_on, survey
from ccod_jsonl.lanes import Lanes
from ccod_jsonl.sending import Sender
from ccod_jsonl.transcripts import Transcript

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
