"""Delivers what is stored to a sink, and remembers how far that came."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager

import structlog
import trio

from ccod.bus import Bus
from ccod.errors import CcodError, StorageUnavailableError
from ccod.limits import LIMITS
from ccod.queries import EventQuery
from ccod.roles import Sink, Storage

NAMESPACE = "ccod.sinks"
ENTER_SECONDS = 30.0
EVENTS_AT_ONCE = 100

log = structlog.get_logger("ccod.sinks")


class SlowSinkError(CcodError):
    """A sink took longer than it may."""


class Delivery:
    """The way to one sink. The storage is its queue and the bus only wakes it, so a slow sink holds up nobody.

    When `run` is called again after it raised, it goes on behind the last events that arrived.
    """

    def __init__(self, sink: Sink, storage: Storage, bus: Bus) -> None:
        self._sink = sink
        self._storage = storage
        self._bus = bus
        self._arrived: int | None = None

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
        async with AsyncExitStack() as stack:
            with self._limit(ENTER_SECONDS, "was not ready"):
                await stack.enter_async_context(self._sink)
            arrived = await self._place() if self._arrived is None else self._arrived
            task_status.started()
            while True:
                with self._bus.subscribe(buffer=1) as news:
                    arrived = await self._catch_up(arrived)
                    async for stored in news:
                        if stored.events:
                            arrived = await self._catch_up(arrived)

    async def _place(self) -> int:
        """Return the number behind which this sink goes on: for a new one, that of the latest event."""
        kept = (await self._storage.kept(NAMESPACE)).get(self._sink.name)
        if kept is not None:
            return int(kept)
        latest = (await self._storage.position()).seq
        await self._keep(latest)
        return latest

    async def _catch_up(self, arrived: int) -> int:
        """Deliver all that is stored behind a number, and return that of the last event."""
        while events := await self._storage.events(EventQuery(after=arrived, limit=EVENTS_AT_ONCE)):
            with self._limit(LIMITS.deliver, f"did not take {len(events)} events"):
                await self._sink.deliver(events)
            arrived = self._arrived = events[-1].seq
            await self._keep(arrived)
        return arrived

    async def _keep(self, seq: int) -> None:
        try:
            await self._storage.keep(NAMESPACE, {self._sink.name: b"%d" % seq})
        except StorageUnavailableError as error:  # `_arrived` remembers; only a restart would deliver them again
            log.warning("how far a sink came could not be stored", sink=self._sink.name, reason=str(error))

    @contextmanager
    def _limit(self, seconds: float, what: str) -> Iterator[None]:
        with trio.move_on_after(seconds) as scope:
            yield
        if scope.cancelled_caught:
            raise SlowSinkError(f"sink {self._sink.name!r} {what} within {seconds:g} seconds")
