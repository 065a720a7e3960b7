"""All of `python -m tests.faults.limits`, which takes seconds."""

from __future__ import annotations

from pathlib import Path

from tests.faults.limits import run


async def test_what_is_at_a_limit_is_taken_and_what_is_beyond_refused(tmp_path: Path) -> None:
    report = await run(tmp_path)
    assert report.violations == []
    assert report.probes > 100
