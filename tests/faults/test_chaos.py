"""Some of the cells; `make faults` tries all."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.chaos import violations
from tests.faults.chaos_cells import Cell


@pytest.mark.parametrize(
    ("place", "deed"),
    [("role:parser", "raise"), ("hook:ccod_sources", "hang"), ("role:transport", "spin")],
)
async def test_a_plugin_that_misbehaves_is_named_and_contained(tmp_path: Path, place: str, deed: str) -> None:
    assert await violations(Cell(place, deed), tmp_path) == []
