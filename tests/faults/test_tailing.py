"""Each case of `python -m tests.faults.tailing` is a test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.house import House
from tests.faults.tailing import CASES, follow


@pytest.mark.parametrize("name", CASES)
async def test_followed(tmp_path: Path, name: str) -> None:
    await follow(name, House(tmp_path))


def test_there_are_forty_cases() -> None:
    assert len(CASES) >= 40
