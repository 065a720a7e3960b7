"""A running daemon reads its settings again: on SIGHUP, and by `ccod reload`."""

from __future__ import annotations

import signal
from pathlib import Path

import tomli_w
import trio

from tests.e2e.daemon import Daemon, open_daemon, run_ccod


async def logged(daemon: Daemon, event: str, count: int) -> None:
    with trio.fail_after(20):
        while sum(event in line for line in daemon.stderr) < count:
            await trio.sleep(0.01)


async def test_a_running_daemon_reads_its_settings_again(tmp_path: Path) -> None:
    http = {"socket": str(tmp_path / "ccod.sock")}
    async with open_daemon(tmp_path, {"http": http}) as daemon:
        home = daemon.home
        reload = ["reload", "--config", str(home.config)]
        assert await daemon.status("/health", Host="my.box") == 421

        home.configure({"http": {**http, "allowed_hosts": ["my.box"]}, "log": {"format": "json", "level": "debug"}})
        daemon.process.send_signal(signal.SIGHUP)
        await logged(daemon, "settings reloaded", 1)
        assert await daemon.status("/health", Host="my.box") == 200

        wrong = home.path / "conf.d" / "wrong.toml"
        wrong.parent.mkdir()
        wrong.write_text("\n[http]\nallowed_hosts = 1\n")
        daemon.process.send_signal(signal.SIGHUP)
        await logged(daemon, "settings are wrong", 1)
        code, stderr = await run_ccod(home, *reload, CCOD_HTTP__ALLOWED_HOSTS="my.box")  # right here, wrong there
        assert (code, stderr) == (78, f"ccod: {wrong}:3: [http] allowed_hosts = 1: Expected `array`, got `int`\n")
        assert await daemon.status("/health", Host="my.box") == 200

        wrong.write_text(tomli_w.dumps({"http": {"port": 1, "allowed_hosts": []}}))
        code, stderr = await run_ccod(home, *reload)
        assert (code, stderr) == (0, "")
        assert await daemon.status("/health", Host="my.box") == 421
        last = [line for line in daemon.stderr if "settings reloaded" in line][-1]
        assert '"after_restart": ["http.port"]' in last
