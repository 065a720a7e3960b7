"""A few points of `python -m tests.faults.syscalls`, which tries them by the dozen."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.faults.syscalls import Point, Report, attempt
from tests.faults.tracing import can_trace


@pytest.mark.skipif(not can_trace(), reason="strace is not there, or this user may not trace")
@pytest.mark.parametrize(
    "point",
    [
        Point("pwrite64", 60),
        Point("fdatasync", 1, "EIO", for_ever=True),
        Point("pwrite64", 150, "ENOSPC", for_ever=True),
    ],
    ids=str,
)
async def test_a_call_that_kills_or_fails_loses_nothing(tmp_path: Path, point: Point) -> None:
    report = Report()
    await attempt(tmp_path, point, random.Random(1), report)
    assert report.reached == 1
    assert report.violations == 0, report
