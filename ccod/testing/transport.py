"""What every transport must do. Tests inherit `TransportContract` and offer the fixture `transports`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from ccod import Event, Observatory, Stored, Transport
from ccod.testing.house import observatory_of
from ccod.testing.shelf import Shelf

Transports = Callable[[Observatory], Transport]
"""Makes the transport of an observatory, such as one that listens on any free port."""

START_SECONDS = 20.0
GRACE_SECONDS = 3.0
"""What the daemon gives transports to tell their clients that it stops."""


class TransportContract:
    """The role `Transport`, observed from outside."""

    @pytest.fixture
    def shelf(self) -> Shelf:
        return Shelf()

    @pytest.fixture
    def observatory(self, shelf: Shelf) -> Observatory:
        return observatory_of(shelf)

    async def test_it_ends_by_itself_when_the_daemon_stops(
        self, transports: Transports, observatory: Observatory
    ) -> None:
        transport = transports(observatory)
        assert transport.name
        async with _running(transport):
            observatory.stopping.set()

    async def test_it_can_be_cancelled_and_run_again(self, transports: Transports, observatory: Observatory) -> None:
        """A second signal cancels all; the supervisor restarts what fell."""
        transport = transports(observatory)
        for _ in range(2):
            async with trio.open_nursery() as nursery:
                with trio.fail_after(START_SECONDS):
                    await nursery.start(_run, transport)
                nursery.cancel_scope.cancel()

    async def test_news_do_not_bring_it_down(
        self, transports: Transports, observatory: Observatory, shelf: Shelf
    ) -> None:
        async with _running(transports(observatory)):
            for seq in range(1, 1001):  # more at once than any buffer of the bus
                shelf.all_events.append(Event(seq, "conversation_forgotten", 0, "c"))
                observatory.bus.publish(Stored(shelf.all_events[-1:], ["c"], ["p"]))
            await wait_all_tasks_blocked(0.01)
            observatory.stopping.set()


async def _run(transport: Transport, *, task_status: trio.TaskStatus[None]) -> None:
    await transport.run(task_status=task_status)


@asynccontextmanager
async def _running(transport: Transport) -> AsyncIterator[None]:
    """Run a transport; the body must bring it to its end, in the time that the daemon gives it."""
    async with trio.open_nursery() as nursery:
        with trio.fail_after(START_SECONDS):
            await nursery.start(_run, transport)
        yield
        nursery.cancel_scope.deadline = trio.current_time() + GRACE_SECONDS
    assert not nursery.cancel_scope.cancelled_caught, f"{transport.name} did not end within {GRACE_SECONDS:g} seconds"
