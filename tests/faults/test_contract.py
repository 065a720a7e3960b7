"""The cases at the edges of `python -m tests.faults.contract`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.contract import run


@pytest.mark.timeout(600)  # two thousand requests, one after the other
async def test_the_daemon_keeps_to_its_own_document(tmp_path: Path) -> None:
    said = await run(tmp_path, count=1, seed=1, phases=["coverage"])
    assert " 0 generated" not in said
