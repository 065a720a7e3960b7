"""A short run of `python -m tests.faults.configurations`."""

from __future__ import annotations

import random

from tests.faults.configurations import configurations


def test_mutated_files_are_taken_or_refused_with_their_place() -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    report = configurations(300, seed)
    assert report.files == 300
    assert min(report.taken, report.refused) >= 10
    assert report.violations == 0, report
