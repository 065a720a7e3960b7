"""Each odd setting is taken for what it means, or refused in one line that names its place."""

from __future__ import annotations

import pytest

from tests.faults.odd import Odd, trouble
from tests.faults.odd_settings import ALL


@pytest.mark.parametrize("odd", ALL, ids=lambda odd: odd.name)
def test_an_odd_setting_is_taken_or_refused_with_its_place(odd: Odd) -> None:
    assert trouble(odd) is None
