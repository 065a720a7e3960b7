"""A third of one round of `python -m tests.faults.requests`, by a daemon in a process of its own."""

from __future__ import annotations

from pathlib import Path

from tests.faults.requests import run


async def test_hostile_requests_end_no_daemon_and_forge_no_line(tmp_path: Path) -> None:
    report = await run(tmp_path, 1, seed=1, groups=frozenset({"framing", "methods", "websockets"}))
    assert report.violations == []
    assert report.said > 60
