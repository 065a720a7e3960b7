"""A short run of the crash experiment; `python -m tests.faults.crash` runs a long one."""

from __future__ import annotations

import random
from pathlib import Path

from tests.faults.crash import crash

KILLS = 5


async def test_every_complete_line_is_stored_once_however_often_the_daemon_is_killed(tmp_path: Path) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    report = await crash(tmp_path, KILLS, seed)
    assert report.lines > 0
    assert report.violations == 0, report
