"""A short run of `python -m tests.faults.overflow`."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.faults.overflow import QUEUE, REFUSALS, Report, overflow, refuse
from tests.faults.tracing import can_trace

pytestmark = pytest.mark.skipif(not QUEUE.exists(), reason="inotify is Linux's")


async def test_what_the_kernel_drops_is_found_at_once(tmp_path: Path) -> None:
    report = Report()
    await overflow(tmp_path, 20, random.Random(1), report)
    if report.skipped:
        pytest.skip(report.skipped[0])
    assert report.overflows > 0
    assert report.violations == 0, report


@pytest.mark.skipif(not can_trace(), reason="strace is not there, or this user may not trace")
async def test_without_inotify_all_is_found_by_scanning(tmp_path: Path) -> None:
    report = Report()
    await refuse(tmp_path, REFUSALS[0], 5, random.Random(1), report)
    assert report.violations == 0, report
