"""The service manager hears of us over a real socket, and never hurts us."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from ccod.notify import keep_watchdog_fed, notify


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(tmp_path / "notify"))
        receiver.setblocking(False)
        yield receiver


def heard(listener: socket.socket) -> list[bytes]:
    messages = []
    with suppress(BlockingIOError):
        while True:
            messages.append(listener.recv(1000))
    return messages


def test_a_line_end_makes_no_assignment(listener: socket.socket) -> None:
    notify("STATUS=not read: a\nREADY=1", environ={"NOTIFY_SOCKET": listener.getsockname()})
    assert heard(listener) == [b"STATUS=not read: a READY=1"]


def test_assignments_arrive(listener: socket.socket) -> None:
    notify("READY=1", "STATUS=serving", environ={"NOTIFY_SOCKET": listener.getsockname()})
    assert listener.recv(100) == b"READY=1\nSTATUS=serving"


def test_an_abstract_socket_is_understood() -> None:
    name = f"ccod-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(f"\0{name}")
        notify("READY=1", environ={"NOTIFY_SOCKET": f"@{name}"})
        assert receiver.recv(100) == b"READY=1"


@pytest.mark.parametrize("address", ["", "/nowhere/at/all", "relative", "x" * 200])
def test_nobody_there_is_no_error(address: str) -> None:
    notify("READY=1", environ={"NOTIFY_SOCKET": address})


async def test_the_watchdog_is_fed_twice_a_period(listener: socket.socket, autojump_clock: MockClock) -> None:
    environ = {"NOTIFY_SOCKET": listener.getsockname(), "WATCHDOG_USEC": "2000000"}
    with trio.move_on_after(4.5):
        await keep_watchdog_fed(lambda: True, environ)
    assert heard(listener) == 5 * [b"WATCHDOG=1"]


async def test_the_watchdog_goes_hungry_while_all_is_not_well(
    listener: socket.socket, autojump_clock: MockClock
) -> None:
    environ = {"NOTIFY_SOCKET": listener.getsockname(), "WATCHDOG_USEC": "2000000"}
    with trio.move_on_after(4.5):
        await keep_watchdog_fed(lambda: trio.current_time() < 1.5, environ)
    assert heard(listener) == 2 * [b"WATCHDOG=1"]


@pytest.mark.parametrize("environ", [{}, {"WATCHDOG_USEC": "x"}, {"WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1"}])
async def test_no_watchdog_is_fed_that_is_not_ours(environ: dict[str, str]) -> None:
    with trio.fail_after(1):
        await keep_watchdog_fed(lambda: True, environ)
