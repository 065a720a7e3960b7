"""The examples of docs/contributing.md do what it says."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.e2e.daemon import open_daemon, run_ccod

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "contributing.md"

if not GUIDE.exists():
    pytest.skip("the guide is in the source tree", allow_module_level=True)


def example(name: str) -> str:
    """Return the Python block that begins with the name of this module."""
    found = re.search(rf"```python\n(# {name}\.py.*?)```", GUIDE.read_text(), re.DOTALL)
    assert found, name
    return found[1]


async def test_the_example_s_setting_route_and_middleware(tmp_path: Path) -> None:
    tables = {"http": {"socket": str(tmp_path / "ccod.sock")}, "motd": {"text": "Mind the gap."}}
    async with open_daemon(tmp_path, tables, start=False) as daemon:
        for name in ("motd", "museum"):
            daemon.home.install(name, example(f"ccod_{name}"))
        await daemon.start()
        transport = httpx.AsyncHTTPTransport(uds=str(tmp_path / "ccod.sock"))
        async with httpx.AsyncClient(base_url=daemon.url, transport=transport) as admin:
            said = await admin.get("/api/motd")
            assert said.json()["data"] == {"text": "Mind the gap."}
            assert said.headers["X-Museum"] == "open"
            refused = await admin.delete("/api/projects/proj_0000000000000000")
            assert (refused.status_code, refused.json()["error"]["message"]) == (403, "This is a museum.")
            described = (await admin.get("/openapi.json")).json()["paths"]["/api/motd"]["get"]
            assert described["summary"] == "Say the message of the day."

            config = ("--config", str(daemon.home.config))
            assert await run_ccod(daemon.home, "config", "set", "motd.text", "Good night.", *config) == (0, "")
            assert await run_ccod(daemon.home, "reload", *config) == (0, "")
            assert (await admin.get("/api/motd")).json()["data"] == {"text": "Good night."}

        code, stderr = await run_ccod(daemon.home, "config", "check", *config, CCOD_MOTD__TEXT=" ")
        assert code == 78
        assert "CCOD_MOTD__TEXT: [motd] text: is blank; say something" in stderr


def test_the_example_s_record_type_is_known_once_the_change_is_made(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "plugins" / "ccod_claude", tmp_path / "ccod_claude")
    change = re.search(r"```diff\n--- a/(\S+)\n.*?\n-(.*?)\n\+(.*?)\n```", GUIDE.read_text(), re.DOTALL)
    assert change
    path, before, after = change.groups()
    (tmp_path / "test_pruned.py").write_text(example("test_pruned"))
    assert "('file-history-pruned', False)" in _tested(tmp_path)
    text = (tmp_path / path).read_text()
    assert text.count(before) == 1
    (tmp_path / path).write_text(text.replace(before, after))
    assert "1 passed" in _tested(tmp_path)


def _tested(folder: Path) -> str:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "/dev/null", "test_pruned.py"]
    environment = {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, cwd=folder, env=environment, check=False, capture_output=True, text=True).stdout
