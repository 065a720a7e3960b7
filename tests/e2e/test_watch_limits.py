"""Where the kernel has no watches to give, changes are found by scanning, `/health` says so, and it ends by itself."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import trio

from ccod.testing.waiting import eventually
from tests.e2e.daemon import Daemon, open_daemon
from tests.e2e.lines import line

LIMITS = Path("/proc/sys/user")
OTHER = "0b1e2f3a-4c5d-4e6f-8a9b-0c1d2e3f4a5c"


def limited(limit: str, value: int) -> list[str]:
    """Return what to put before a command, so that it runs with a limit of its own."""
    return ["unshare", "--user", "--map-root-user", "sh", "-c", f'echo {value} > {LIMITS / limit}; exec "$@"', "sh"]


def can_limit() -> bool:
    if not shutil.which("unshare") or not (LIMITS / "max_inotify_watches").exists():
        return False
    command = [*limited("max_inotify_watches", 5), "grep", "-qx", "5", str(LIMITS / "max_inotify_watches")]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


async def codes(daemon: Daemon) -> list[str]:
    return [each["code"] for each in (await daemon.get("/health"))["data"]["details"]["reasons"]]


@pytest.mark.parametrize(
    ("limit", "value", "code"),
    [("max_inotify_watches", 1, "WATCH_LIMIT"), ("max_inotify_instances", 0, "WATCH_UNAVAILABLE")],
)
async def test_scanning_steps_in_until_there_are_watches_again(
    tmp_path: Path, limit: str, value: int, code: str
) -> None:
    if not can_limit():
        pytest.skip("this machine lets nobody have limits of their own for inotify")
    async with open_daemon(tmp_path, {"claude": {"scan_interval": 0.5}}, start=False) as daemon:
        folder = daemon.home.root / "-home-dev-demo"
        folder.mkdir()
        await daemon.start(before=limited(limit, value))
        health = (await daemon.get("/health"))["data"]
        assert (health["status"], health["services"]["fileMonitor"]) == ("degraded", "degraded")
        assert await codes(daemon) == [code]
        assert await daemon.status("/health/ready") == 200
        (folder / f"{OTHER}.jsonl").write_bytes(line("found by scanning", session=OTHER))
        await eventually(lambda: has(daemon, OTHER), "message")
        raised = f"echo 1000 > {LIMITS / limit}"
        enter = ["nsenter", "--user", f"--target={daemon.process.pid}", "--preserve-credentials", "sh", "-c", raised]
        await trio.run_process(enter)
        await eventually(lambda: is_well(daemon), "health", 10)


async def has(daemon: Daemon, session: str) -> bool:
    return await daemon.status(f"/api/conversations/{session}") == 200


async def is_well(daemon: Daemon) -> bool:
    return await codes(daemon) == [] and (await daemon.get("/health"))["data"]["status"] == "healthy"
