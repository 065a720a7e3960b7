"""Where `tests.e2e.replacing` runs these tests on another plugin, that plugin it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.daemon import open_daemon
from tests.e2e.home import replaced


async def test_the_replacement_is_asked_for_its_role(tmp_path: Path) -> None:
    asked = replaced().get("asked")
    if not asked:
        pytest.skip("nothing is replaced; see contrib/replace-test")
    async with open_daemon(tmp_path, start=False) as daemon:
        daemon.home.variables["CCOD_TRACE_PLUGINS"] = "true"
        await daemon.start()
        assert (await daemon.get("/health"))["success"]
        said = [line.removeprefix("ccod: ") for line in daemon.stderr if line.startswith("ccod: ")]
        for each in asked:
            assert any(f"{line} ".startswith(f"{each} ") for line in said), (each, said)
