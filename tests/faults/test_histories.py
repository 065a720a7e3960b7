"""A few of the histories that `python -m tests.faults.histories` tells by the hundred."""

from __future__ import annotations

from pathlib import Path

from tests.faults.histories import history

COUNT = 3


async def test_any_history_ends_as_if_it_had_come_in_one_piece(tmp_path: Path) -> None:
    for seed in range(500, 500 + COUNT):
        folder = tmp_path / str(seed)
        folder.mkdir()
        assert await history(folder, seed)
