"""A few payloads of `python -m tests.faults.scripts`, which opens two hundred."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.access import API
from tests.faults.browser import chromium
from tests.faults.scripts import run


@pytest.mark.skipif(not API.exists(), reason="the table of routes is in docs")
@pytest.mark.skipif(chromium() is None, reason="chromium is not installed")
async def test_no_script_of_a_transcript_is_run(tmp_path: Path) -> None:
    report = await run(tmp_path, 2, seed=1, routes=2)
    assert (report.payloads, report.violations) == (2, [])
