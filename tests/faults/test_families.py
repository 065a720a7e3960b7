"""`tests/plugins/jwt/test_jwt_logins.py` takes the same steps on a storage in memory; here are a few on a database."""

from __future__ import annotations

from pathlib import Path

from tests.faults.families import run


async def test_exactly_the_right_tokens_are_valid_on_a_database(tmp_path: Path) -> None:
    report = await run(tmp_path, 40, seed=3)
    assert report.violations == []
    assert report.tokens > 0
