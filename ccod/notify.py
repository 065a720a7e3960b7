"""Tells systemd how the service is doing: READY, STOPPING, STATUS, WATCHDOG. Silent where nobody listens."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping

import structlog
import trio

log = structlog.get_logger("ccod.notify")


def notify(*assignments: str, environ: Mapping[str, str] = os.environ) -> None:
    """Send assignments such as `READY=1` to the service manager. A listener that is gone never hurts the daemon."""
    address = environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
        sender.setblocking(False)
        try:
            sender.sendto("\n".join(" ".join(text.split("\n")) for text in assignments).encode(), address)
        except OSError as error:
            log.debug("service manager did not hear", reason=str(error))


async def keep_watchdog_fed(is_well: Callable[[], bool], environ: Mapping[str, str] = os.environ) -> None:
    """Send WATCHDOG=1 twice in each period that the service manager asks for; return at once if it asks for none.

    It is sent only while all `is_well`; the service manager ends and restarts a service that falls silent.
    """
    microseconds = environ.get("WATCHDOG_USEC", "")
    if not microseconds.isdigit() or environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return
    while True:
        if is_well():
            notify("WATCHDOG=1", environ=environ)
        else:
            log.error("the service manager is not told that all is well")
        await trio.sleep(int(microseconds) / 2_000_000)
