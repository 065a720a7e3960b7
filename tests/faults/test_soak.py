"""What `python -m tests.faults.soak` says of figures; `tests/bench/test_load.py` makes some."""

from __future__ import annotations

from tests.bench.keepalive import Times
from tests.bench.load import Day, Report, Sample
from tests.bench.mixed import Tally
from tests.faults.soak import faults

MIB = 2**20


def report(minutes: int, *, rss: int = 0, files: int = 0, threads: int = 0, wal: int = 0) -> Report:
    """Return figures of so many minutes, of which some grow by so much a minute; `wal` is as large at all times."""
    samples = [
        Sample(minute, 100 * MIB + minute * rss, 40 + minute * files, wal, 10 + minute * threads)
        for minute in range(minutes)
    ]
    return Report(Tally(Times(), Times()), samples, 0.0)


def test_what_grows_without_end_is_named() -> None:
    day = Day(60)
    assert faults(report(60), day) == []
    assert faults(report(60, rss=MIB), day) == ["memory grows by 60.00 MiB/h"]
    assert faults(report(60, files=1, threads=2), day) == ["files grew by 60.0", "threads grew by 120.0"]
    assert faults(report(60, wal=65 * MIB), day) == ["the journal had 65 MiB"]


def test_growth_in_the_first_minutes_is_not_judged() -> None:
    assert faults(report(5, rss=MIB, files=1), Day(5)) == []
    assert faults(report(5, wal=65 * MIB), Day(5)) == ["the journal had 65 MiB"]
