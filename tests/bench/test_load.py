"""A few seconds of a small day: every figure is there, and what was written reached all who listen."""

from __future__ import annotations

from pathlib import Path

from tests.bench.load import Day, is_sound, lines, load
from tests.bench.mixed import slope


async def test_a_small_day_is_sound(tmp_path: Path) -> None:
    day = Day(minutes=0.08, sessions=2, clients=3, rate=5.0, size=100_000)
    report = await load(tmp_path, day)
    assert is_sound(report, day), report.tally.errors[:3]
    assert report.tally.appended >= 2
    assert report.tally.requests.seconds
    assert report.tally.delivery.seconds
    assert len(lines(report, day)) == 11


def test_slopes() -> None:
    assert slope([(0, 1), (1, 3), (2, 5)]) == 2
    assert slope([(0, 1)]) == slope([]) == 0
