"""Short runs of the experiments with the hub; the programs of this folder run long ones."""

from __future__ import annotations

import random
from pathlib import Path

from tests.faults.rude import rude
from tests.faults.slow import slow
from tests.faults.subscribers import subscribers


def seed() -> int:
    number = random.randrange(2**32)
    print(f"seed {number}")
    return number


async def test_every_subscriber_hears_each_stored_event_once_over_kills(tmp_path: Path) -> None:
    report = await subscribers(tmp_path, kills=3, seed=seed(), count=8)
    assert report.events > 0
    assert report.violations == 0, report


async def test_clients_that_never_read_cost_the_others_nothing(tmp_path: Path) -> None:
    report = await slow(tmp_path, stuck=20, megabytes=5)
    assert report.violations == [], report


async def test_rude_handshakes_and_frames_end_nothing_and_leave_nothing() -> None:
    report = await rude(handshakes=100, frames=1000, seed=seed())
    assert report.accepted > 0
    assert report.violations == 0, report
