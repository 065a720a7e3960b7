"""Does for a daemon what systemd would: it waits for READY=1 and WATCHDOG=1, and aborts who falls silent."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import trio

from tests.e2e.daemon import Daemon

START_SECONDS = 60.0
"""As TimeoutStartSec, with TimeoutStartFailureMode=abort."""
WATCHDOG_SECONDS = 12.0


@contextmanager
def notified(daemon: Daemon, path: Path) -> Iterator[socket.socket]:
    """Let the daemon notify a socket at `path` from its next start on."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as opened:
        opened.bind(str(path))
        opened.setblocking(False)
        daemon.home.variables["NOTIFY_SOCKET"] = str(path)
        daemon.home.variables["WATCHDOG_USEC"] = str(int(WATCHDOG_SECONDS * 1_000_000))
        yield opened


async def watch(daemon: Daemon, notifications: socket.socket) -> None:
    """Abort each process of the daemon that is not ready in time, or falls silent."""
    seen = 0
    patience = began = time.monotonic()
    while True:
        await trio.sleep(0.1)
        process = daemon._process
        if process is None or process.returncode is not None:
            continue
        if process.pid != seen:
            seen, began, patience = process.pid, time.monotonic(), START_SECONDS
        for heard in _heard(notifications):
            if "READY=1" in heard or patience == WATCHDOG_SECONDS:
                began, patience = time.monotonic(), WATCHDOG_SECONDS
        if time.monotonic() - began > patience:
            process.send_signal(signal.SIGABRT)
            began = time.monotonic()


def _heard(notifications: socket.socket) -> Iterator[str]:
    with suppress(BlockingIOError):
        while True:
            yield notifications.recv(4096).decode()
