"""A small run of `python -m tests.faults.scale`, which does not judge how fast or large the daemon was."""

from __future__ import annotations

import random
from pathlib import Path

from tests.faults.scale import Size, scale


async def test_many_files_and_long_lines_are_all_stored_or_set_aside(tmp_path: Path) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    report = await scale(tmp_path, Size.of(50), seed)
    assert report.records > 500
    assert report.told > 0
    assert report.unsound == 0, report
