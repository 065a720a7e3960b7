"""What of `python -m tests.faults.supply` needs no network and no other program."""

from __future__ import annotations

import pytest

from tests.faults.supply import PIN, ROOT, unhashed


@pytest.mark.skipif(not (ROOT / "requirements").is_dir(), reason="the pins are not here")
def test_every_pin_has_a_hash() -> None:
    assert list(unhashed()) == []


def test_a_pin_is_known() -> None:
    assert PIN.match("quart-trio==0.12.0 \\")
    assert not PIN.match("    --hash=sha256:00")
