"""Ends a process whose event loop stands still; `ccod.past` finds out at the next start who stood in its way.

Nothing within a process can take the loop away from who holds it. A thread sees that the loop does not beat, writes
down all stacks and ends the process; where somebody holds the interpreter's lock as well, such as a regular expression
that runs wild, a timer of the kernel's does, which counts what the process computes. Both count only time in which the
process ran, so that stopping it, or suspending the machine, is no reason. Who holds that lock and sleeps is beyond
both: systemd ends a service that does not feed its watchdog, and the stacks are written then, too.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import structlog
import trio

from ccod.calls import Calls
from ccod.dump import open_dump
from ccod.limits import LIMITS

EXIT_CODE = 70
"""EX_SOFTWARE: systemd starts the process again."""
STEPS = 10
START = 4
"""So much more patient it is before the daemon is `ready`: a busy machine takes its time to import everything."""

log = structlog.get_logger("ccod.watchdog")


class Watchdog:
    """Watches while `watching` is open. `calls` are watched too, for in the storage's threads nothing else does."""

    def __init__(self, calls: Calls, folder: Path) -> None:
        self._calls = calls
        self._folder = folder
        self.ready = False
        self._beaten = False
        self._end = threading.Event()

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        file = open_dump(self._folder)
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._beat)
                nursery.start_soon(self._watch_in_thread, file)
                yield
                nursery.cancel_scope.cancel()
        finally:
            self._end.set()
            signal.setitimer(signal.ITIMER_PROF, 0)

    async def _beat(self) -> None:
        while True:
            self._beaten = True
            signal.setitimer(signal.ITIMER_PROF, (2 if self.ready else 2 * START) * LIMITS.blocked)
            await trio.sleep(LIMITS.blocked / STEPS / 2)

    async def _watch_in_thread(self, file: int) -> None:
        await trio.to_thread.run_sync(self._watch, file, abandon_on_cancel=True, limiter=trio.CapacityLimiter(1))

    def _watch(self, file: int) -> None:
        still = 0
        while not self._end.wait(LIMITS.blocked / STEPS):
            still = 0 if self._beaten or sys.gettrace() else still + 1
            self._beaten = False
            self._calls.step()
            late = self._calls.longer_than(2 * STEPS)
            if still >= STEPS * (1 if self.ready else START) or late:
                self._end_process(file, late)

    def _end_process(self, file: int, late: Sequence[str]) -> None:
        os.write(file, "".join(f"asked {name}\n" for name in late).encode())
        os.write(file, f"main {threading.main_thread().ident:#x}\n".encode())
        faulthandler.dump_traceback(file=file, all_threads=True)
        log.critical("the event loop stands still; the process ends", limit_seconds=LIMITS.blocked, asked=late)
        os._exit(EXIT_CODE)
