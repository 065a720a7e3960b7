"""A short run of the migration experiment; `python -m tests.faults.migrating` runs a long one."""

from __future__ import annotations

import random
from pathlib import Path

from tests.faults import migrating

KILLS = 3


async def test_a_migration_that_is_killed_is_done_by_the_next_one(tmp_path: Path) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    report = await migrating.run(tmp_path, KILLS, seed)
    assert report.kills >= KILLS
    assert not report.wrong, report
