"""What `ccod.testing` offers to authors of plugins."""

from __future__ import annotations

from pathlib import Path

from ccod.testing import Clock, Daemons


async def test_a_daemon_of_the_fixture_serves_from_folders_of_its_own(open_daemon: Daemons, tmp_path: Path) -> None:
    async with open_daemon({"machine": "here"}, start=False) as daemon:
        daemon.home.install("mine", "from ccod import hookimpl\n@hookimpl\ndef ccod_sources():\n    return []\n")
        await daemon.start()
        answer = await daemon.client.get("/api/plugins")
        mine = next(plugin for plugin in answer.json()["data"] if plugin["name"] == "mine")
        assert (mine["state"], mine["hooks"]) == ("loaded", ["ccod_sources"])
        assert (await daemon.terminate()) == 0
    made = {path.relative_to(daemon.home.path).parts[0] for path in daemon.home.path.rglob("*")}
    assert made <= {"ccod.toml", "stderr.log", "plugins", "data", "state", "config", "cache", "run"}
    assert any(daemon.home.path.rglob("*.db"))


def test_the_clock_stands_still(clock: Clock) -> None:
    assert clock() == clock()
    clock.now += 1
    assert clock() == clock.now
