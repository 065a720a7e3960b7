"""A daemon whose plugins will not end, do not answer, or are from another time."""

from __future__ import annotations

import signal
from pathlib import Path

import trio

from ccod.watchdog import EXIT_CODE
from tests.e2e.daemon import open_daemon
from tests.e2e.lines import answer
from tests.faults import chaos_plugins as make

STUBBORN = """
import trio
from ccod import hookimpl
from ccod.limits import LIMITS
LIMITS.stop = 3.0
class Stubborn:
    name = "stubborn"
    async def run(self, *, task_status):
        task_status.started()
        while True:
            try:
                await trio.sleep_forever()
            except trio.Cancelled:
                with trio.CancelScope(shield=True):
                    await trio.sleep_forever()
@hookimpl
def ccod_transports(settings): return [Stubborn()]
"""
PATIENT = STUBBORN.replace("            except trio.Cancelled:", "            except ValueError:")
OLD = """
import warnings
from ccod import hookimpl, hookspec
class Hooks:
    @hookspec(warn_on_impl=DeprecationWarning("use another"))
    def old_times(self): ...
@hookimpl
def ccod_add_hooks(manager): manager.add_hookspecs(Hooks)
@hookimpl(optionalhook=True)
def old_times(): ...
"""
SILENT = (
    make.HEAD
    + """
from ccod.limits import LIMITS
LIMITS.blocked = 1.0
class Silent:
    version = "1"
    def cost(self, response, at):
        time.sleep(3600)
@hookimpl
def ccod_prices(settings): return Silent()
"""
)


async def test_it_ends_although_a_service_will_not(tmp_path: Path) -> None:
    async with open_daemon(tmp_path, start=False) as daemon:
        daemon.home.install("stubborn", STUBBORN)
        daemon.home.install("old", OLD)
        await daemon.start()
        assert (await daemon.logged("plugin_deprecated"))["plugin"] == "old"
        daemon.process.terminate()
        await daemon.logged("stopping")
        daemon.process.send_signal(signal.SIGHUP)  # nothing is read again by then
        assert await daemon.wait() == 1
        assert "services do not end; the process does" in daemon.stderr[-1]
        assert "transport stubborn" in daemon.stderr[-1]


async def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    async with open_daemon(tmp_path, start=False) as daemon:
        daemon.home.install("stubborn", PATIENT)
        await daemon.start()
        daemon.process.terminate()
        await daemon.logged("stopping")
        daemon.process.terminate()
        assert await daemon.wait() == 0
        assert not any("services do not end" in said for said in daemon.stderr)


async def test_prices_that_never_answer_end_the_process_and_are_left_out(tmp_path: Path) -> None:
    async with open_daemon(tmp_path, start=False) as daemon:
        daemon.home.variables["CCOD_PRICES"] = "silent"
        daemon.home.install("silent", SILENT)
        await daemon.start()
        path = daemon.home.root / "-home-dev-demo" / "c1.jsonl"
        path.parent.mkdir()
        path.write_bytes(answer("hello", session="c1"))
        with trio.fail_after(60):
            assert await daemon.process.wait() == EXIT_CODE
        await daemon.start()
        listed = {each["name"]: each for each in (await daemon.get("/api/plugins"))["data"]}
        assert listed["silent"]["state"] == "failed"
        assert "it stopped the daemon" in str(listed["silent"])
