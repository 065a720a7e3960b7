"""A few guesses behind a proxy; `python -m tests.faults.bruteforce` guesses by the thousand and in other ways."""

from __future__ import annotations

import random
from pathlib import Path

from tests.faults.bruteforce import ATTACKS, run


async def test_who_guesses_from_many_addresses_waits_and_who_is_guessed_at_does_not(tmp_path: Path) -> None:
    report = await run(tmp_path, ATTACKS[-1], 100, random.Random(1))
    assert report.violations == []
    assert report.victim_waited == 0
