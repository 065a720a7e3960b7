"""A short run of `python -m tests.faults.stops`."""

from __future__ import annotations

import random
from pathlib import Path

from tests.faults.stops import stops


async def test_it_stops_in_order_at_any_moment_among_any_clients(tmp_path: Path) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    report = await stops(tmp_path, 3, seed)
    assert report.stops == 3
    assert report.violations == 0, report
