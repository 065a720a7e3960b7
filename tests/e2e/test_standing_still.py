"""A process that was stopped, as the whole machine is when it sleeps, is not taken for one whose event loop is held."""

from __future__ import annotations

import signal
from pathlib import Path

import trio

from tests.e2e.daemon import open_daemon
from tests.faults import chaos_plugins as make

IMPATIENT = """
from ccod.limits import LIMITS
LIMITS.blocked = 2.0
"""
SLOW = (
    make.HEAD
    + """
class It:
    format = version = "chaos"
    def parse(self, stream, record):
        for _ in range(20):  # somebody is always asked
            time.sleep(0.1)
        return [Unparsed(record.offset, len(record.body), "chaos")]
    def content(self, body): return Content("")
@hookimpl
def ccod_parsers(settings): return [It()]
"""
    + make.feed(pause="0", tasks="2")
)


async def test_a_stop_of_the_process_is_no_reason_to_end_it(tmp_path: Path) -> None:
    async with open_daemon(tmp_path, start=False) as daemon:
        daemon.home.install("a_hasty", IMPATIENT)
        daemon.home.install("chaos", SLOW)
        await daemon.start()
        daemon.process.send_signal(signal.SIGSTOP)
        await trio.sleep(5)  # longer than the event loop, and a parser, may take
        daemon.process.send_signal(signal.SIGCONT)
        await trio.sleep(1)
        assert (await daemon.get("/health"))["success"]
        assert daemon.process.returncode is None
        assert await daemon.terminate() == 0
