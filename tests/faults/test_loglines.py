"""All of `python -m tests.faults.loglines`, which takes seconds."""

from __future__ import annotations

from pathlib import Path

from tests.faults.loglines import run


async def test_every_line_of_the_log_is_one_object_whatever_is_said(tmp_path: Path) -> None:
    report = await run(tmp_path)
    assert report.violations == []
    assert report.warnings > 0
