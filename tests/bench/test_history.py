"""What was measured before is kept, and compared with."""

from __future__ import annotations

from pathlib import Path

from tests.bench.history import keep, last, lines, point


def test_the_newest_run_of_a_size_is_compared_with(tmp_path: Path) -> None:
    file = tmp_path / "history.jsonl"
    assert last("M", file) is None
    for size, ratio in (("M", 0.5), ("M", 0.4), ("S", 0.9)):
        keep(point("3.11.7", size, {"floor / ccod": ratio}), file)
    before = last("M", file)
    assert before is not None
    now = point("3.11.7", "M", {"floor / ccod": 0.5, "new": 1.23456})
    assert lines(before, now)[2:] == ["| floor / ccod | 0.4 | 0.5 | +25% |", "| new |  | 1.235 |  |"]
