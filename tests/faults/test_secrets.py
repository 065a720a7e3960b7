"""One secret of each kind by each way out of a daemon; `python -m tests.faults.secrets` draws more of them."""

from __future__ import annotations

from pathlib import Path

from tests.faults.secrets import PRECISION, run


async def test_no_secret_is_told_by_any_way(tmp_path: Path) -> None:
    report = await run(tmp_path, draws=1, lines=200, seed=4)
    assert not report.told
    assert not report.silent
    assert report.precision >= PRECISION
