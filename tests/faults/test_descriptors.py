"""A moment of `python -m tests.faults.descriptors`."""

from __future__ import annotations

from pathlib import Path

from tests.faults.descriptors import run


async def test_a_daemon_without_files_comes_back_and_loses_nothing(tmp_path: Path) -> None:
    report = await run(tmp_path, 80, late=True, hold=0.5)
    assert report.violations == []
    assert report.stored > 0
