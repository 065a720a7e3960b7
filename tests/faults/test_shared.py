"""A short run of the experiment with daemons that share a database; `make faults` runs a longer one."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.faults.shared import shared
from tests.postgres import reason_to_skip


async def test_each_client_of_each_node_hears_all_once(tmp_path: Path) -> None:
    if reason := reason_to_skip():
        pytest.skip(reason)
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    report = await shared(tmp_path, kills=1, seed=seed)
    assert report.events > 0
    assert report.violations == 0, report
