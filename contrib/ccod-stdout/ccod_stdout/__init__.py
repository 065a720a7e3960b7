"""Prints each event as a line of JSON, once it is stored: the smallest transport."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
import structlog

from ccod import Ending, Event, EventQuery, Observatory, StateChange, Subscription, Transport, hookimpl

if TYPE_CHECKING:
    import trio

STDOUT = 1

log = structlog.get_logger("ccod.stdout")


class Line(msgspec.Struct, rename="camel", omit_defaults=True):
    """What is printed of an event."""

    seq: int
    kind: str
    at: str
    conversation_id: str | None = None
    project_id: str | None = None
    role: str | None = None
    text: str | None = None
    detail: StateChange | Ending | None = None


class Stdout:
    """The bus only says that there is something new: what it is stands in the storage, however far behind we are."""

    name = "stdout"

    def __init__(self, observatory: Observatory) -> None:
        self._observatory = observatory

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
        """See `ccod.Transport`. It ends before its time where nobody reads what it prints."""
        last = (await self._observatory.storage.position()).seq
        task_status.started()
        try:
            while True:
                with self._observatory.bus.subscribe() as news:
                    last = await self._print_after(last)
                    if self._observatory.stopping.is_set():
                        return
                    await self._wait(news)
        except BrokenPipeError:
            log.warning("nobody reads standard output any more, nothing is printed from now on")

    async def _print_after(self, last: int) -> int:
        import trio

        while events := await self._observatory.storage.events(EventQuery(after=last)):
            # Who reads slowly blocks a thread, and no one else; at the end it is left behind.
            await trio.to_thread.run_sync(self._print, events, abandon_on_cancel=True)
            last = events[-1].seq
        return last

    async def _wait(self, news: Subscription) -> None:
        """Return once something was stored, or the daemon stops."""
        import trio

        async def stop() -> None:
            await self._observatory.stopping.wait()
            nursery.cancel_scope.cancel()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(stop)
            async for _ in news:
                break
            nursery.cancel_scope.cancel()

    def _print(self, events: Sequence[Event]) -> None:
        left = b"".join(msgspec.json.encode(self._line(event)) + b"\n" for event in events)
        while left:
            left = left[os.write(STDOUT, left) :]

    def _line(self, event: Event) -> Line:
        at = datetime.fromtimestamp(event.at / 1000, UTC).isoformat(timespec="milliseconds")
        line = Line(event.seq, event.kind, at, event.conversation_id, event.project_id, detail=event.detail)
        if event.message is not None:
            line.role, line.text = event.message.role, self._observatory.content(event.message).text
        return line


@hookimpl
def ccod_transports(observatory: Observatory) -> Iterable[Transport]:
    return (Stdout(observatory),)
