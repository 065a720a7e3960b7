"""One of the scenarios of `python -m tests.faults.clocks`."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.faults.clocks import SCENARIOS, Report, attempt, ids, library, negatives
from tests.faults.crash import Report as Stored


@pytest.mark.skipif(library() is None, reason="libfaketime is not installed (apt install faketime)")
async def test_a_clock_that_passes_2038_changes_nothing(tmp_path: Path) -> None:
    (scenario,) = (each for each in SCENARIOS if each.name == "2038")
    report = Report(stored=Stored())
    await attempt(tmp_path, scenario, random.Random(1), report)
    assert report.told > 0
    assert report.violations == 0, report


def test_numbers_below_zero_are_found_with_their_place() -> None:
    assert list(negatives({"a": [{"ms": -1.5}, {"ms": 0}], "b": -2, "c": "-3"})) == [(".a[0].ms", -1.5), (".b", -2)]


def test_other_events_have_no_messages() -> None:
    added = {"data": {"event": "message_added", "message": {"id": "m"}}}
    assert ids([added, {"data": {"event": "conversation_updated"}}, {"data": {}}]) == {"m"}
