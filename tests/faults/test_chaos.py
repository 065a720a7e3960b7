"""Some of the cells; `make faults` tries all."""

from __future__ import annotations

from pathlib import Path

import pytest

from ccod.manager import Manager
from tests.faults.chaos import violations
from tests.faults.chaos_cells import Cell
from tests.faults.chaos_plugins import HOOKS


@pytest.mark.parametrize(
    ("place", "deed"),
    [("role:parser", "raise"), ("hook:ccod_sources", "hang"), ("role:transport", "spin")],
)
async def test_a_plugin_that_misbehaves_is_named_and_contained(tmp_path: Path, place: str, deed: str) -> None:
    assert await violations(Cell(place, deed), tmp_path) == []


def test_each_hook_is_a_place() -> None:
    manager = Manager()
    assert {hook for plugin in manager.plugins for hook in plugin.hooks} <= set(HOOKS)
