"""A few of the histories that `python -m tests.faults.histories` tells by the hundred."""

from __future__ import annotations

import random
from pathlib import Path

from tests.faults.histories import history

COUNT = 3


async def test_any_history_ends_as_if_it_had_come_in_one_piece(tmp_path: Path) -> None:
    seed = random.randrange(2**32)
    print(f"python -m tests.faults.histories --count {COUNT} --seed {seed}")
    for number in range(COUNT):
        folder = tmp_path / str(number)
        folder.mkdir()
        assert await history(folder, seed + number)
