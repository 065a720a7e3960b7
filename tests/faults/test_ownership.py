"""One umask of `python -m tests.faults.ownership`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.ownership import run
from tests.faults.tracing import can_trace


@pytest.mark.skipif(not can_trace(), reason="strace is not there, or this user may not trace")
async def test_files_are_the_owners_and_transcripts_are_not_touched(tmp_path: Path) -> None:
    report = await run(tmp_path, [0o000])
    assert report.violations == []
    assert report.files > 5
    assert report.reads > 0
