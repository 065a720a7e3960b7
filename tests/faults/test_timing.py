"""A short run of the login timing; `python -m tests.faults.timing` runs a long one, and judges the times."""

from __future__ import annotations

from pathlib import Path

from tests.faults.timing import timing


async def test_an_unknown_account_is_not_told_from_a_wrong_password(tmp_path: Path) -> None:
    report = await timing(tmp_path, 5, rounds=4)
    assert len(report.known) == len(report.unknown) == 5
    assert len(report.answers) == 1, report.answers
