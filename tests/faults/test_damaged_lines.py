"""Short runs of `python -m tests.faults.salvage` and `python -m tests.faults.mutation`."""

from __future__ import annotations

import random

from tests.faults.mutation import mutation
from tests.faults.salvage import salvage


def test_every_complete_record_is_found_and_nothing_else() -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    report = salvage(500, seed)
    assert report.complete >= 500
    assert report.violations == 0, report


def test_no_mutated_line_raises() -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    report = mutation(1000, seed)
    assert report.lines == 1000
    assert report.raised + report.misplaced == 0, report
