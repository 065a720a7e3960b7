"""A few of `python -m tests.faults.odd_starts`: one for each way in which a start can end."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from tests.faults.odd_start import Start, missing, trouble
from tests.faults.odd_starts import ALL

SOME = {
    "an address of another machine",
    "a text file",
    "two that overlap",
    "raises when it is imported",
    "a count of sockets that is none",
}
CHOSEN = [start for starts in ALL.values() for start in starts if start.name in SOME]


@pytest.mark.parametrize("start", CHOSEN, ids=lambda start: start.name)
def test_an_odd_start_serves_or_says_why_not(start: Start) -> None:
    assert len(CHOSEN) == len(SOME)
    assert not missing(start)
    with tempfile.TemporaryDirectory() as folder:  # its name is short, as a socket's must be
        assert trouble(start, Path(folder)) is None
