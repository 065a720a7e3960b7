"""Short runs of what happens when the servers beside a daemon die; the programs of this folder run long ones."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests import postgres, redisserver
from tests.faults import postgreskills, rediskills


def seed() -> int:
    number = random.randrange(2**32)
    print(f"seed {number}")
    return number


@pytest.mark.timeout(600)  # each time it takes the daemon, the server and ten clients some seconds to come back
async def test_postgresql_may_be_killed_while_lines_are_stored_and_told(tmp_path: Path) -> None:
    if reason := postgres.reason_to_skip():
        pytest.skip(reason)
    report = await postgreskills.run(tmp_path, kills=2, seed=seed())
    assert report.lines > 0
    assert report.events > 0
    assert report.violations == 0, report


@pytest.mark.timeout(600)
async def test_redis_may_be_killed_and_hang_while_answers_are_kept_there(tmp_path: Path) -> None:
    if reason := redisserver.reason_to_skip():
        pytest.skip(reason)
    report = await rediskills.run(tmp_path, kills=2, seed=seed())
    assert report.kept > 0
    assert report.violations == 0, report
