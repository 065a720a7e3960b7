"""What every sink must do. Tests inherit `SinkContract` and offer the fixture `sinks`."""

from __future__ import annotations

from collections.abc import Callable

import trio

from ccod import Ending, Event, Message, Sink, StateChange, Usage
from ccod.limits import LIMITS
from ccod.sinks import ENTER_SECONDS

Sinks = Callable[[], Sink]
"""Makes a sink that reaches whomever it tells, such as a server beside the test."""

EVENTS = [
    Event(1, "project_discovered", 1_800_000_000_000, None, "p"),
    Event(2, "conversation_started", 1_800_000_000_000, "c", "p"),
    Event(
        3,
        "message_added",
        1_800_000_000_001,
        "c",
        "p",
        Message("m", "c", 1, "assistant", 1_800_000_000_001, "unheard of", b'\xff\0{"a": 1}', usage=Usage(1, 2)),
    ),
    Event(7, "conversation_state_changed", 1_800_000_000_002, "c", "p", detail=StateChange("active", "waiting", "x")),
    Event(8, "conversation_ended", 1_800_000_000_003, "c", "p", detail=Ending(3, 1, 0, 1_800_000_000_003)),
    Event(9, "conversation_forgotten", 1_800_000_000_004, "c", "p"),
    Event(10, "project_forgotten", 1_800_000_000_004, None, "p"),
]
"""One of each kind, among them one whose message nobody can read."""


class SinkContract:
    """The role `Sink`, observed from outside."""

    async def test_it_takes_events_of_every_kind(self, sinks: Sinks) -> None:
        sink = sinks()
        assert sink.name
        with trio.fail_after(ENTER_SECONDS):
            async with sink:
                with trio.fail_after(LIMITS.deliver):
                    await sink.deliver(EVENTS)
                    for event in EVENTS:
                        await sink.deliver([event])

    async def test_it_takes_the_same_events_twice(self, sinks: Sinks) -> None:
        async with sinks() as sink:
            await sink.deliver(EVENTS)
            await sink.deliver(EVENTS)

    async def test_it_takes_many_at_once(self, sinks: Sinks) -> None:
        async with sinks() as sink:
            await sink.deliver([Event(seq, "conversation_started", seq, f"c{seq}", "p") for seq in range(1, 101)])

    async def test_it_can_be_opened_again(self, sinks: Sinks) -> None:
        """One that fell is left and entered again."""
        sink = sinks()
        for _ in range(2):
            async with sink:
                await sink.deliver(EVENTS[:1])

    async def test_it_can_be_cancelled(self, sinks: Sinks) -> None:
        sink = sinks()
        with trio.CancelScope() as scope:
            async with sink:
                scope.cancel()
                await sink.deliver(EVENTS)
        async with sink:
            await sink.deliver(EVENTS)
