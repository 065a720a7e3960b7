"""What is stored reaches a sink once it is there, in order, at least once, and whatever the sink does meanwhile."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import pairwise
from types import TracebackType
from typing import Self

import pytest
import structlog.testing
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from ccod.bus import Bus
from ccod.errors import StorageUnavailableError
from ccod.events import Event, Position, Stored
from ccod.health import Health, ServiceHealth
from ccod.limits import LIMITS
from ccod.queries import EventQuery
from ccod.sinks import EVENTS_AT_ONCE, NAMESPACE, Delivery, SlowSinkError
from ccod.supervisor import open_supervisor
from ccod.testing import Shelf, SinkContract, Sinks

PATIENCE = 2_000


class Mailbox:
    """A sink that keeps what arrives; `before` is awaited with each delivery, and may fail it."""

    def __init__(self, name: str = "mailbox") -> None:
        self.name = name
        self.events: list[Event] = []
        self.sizes: list[int] = []
        self.entered = 0
        self.left = 0
        self.before: Callable[[Sequence[Event]], Awaitable[None]] | None = None
        self._news = trio.Event()

    async def __aenter__(self) -> Self:
        self.entered += 1
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        self.left += 1

    async def deliver(self, events: Sequence[Event]) -> None:
        if self.before:
            await self.before(events)
        self.events += events
        self.sizes.append(len(events))
        self._news.set()

    async def until(self, count: int) -> None:
        """Wait until so much has arrived."""
        with trio.fail_after(PATIENCE):
            while len(self.events) < count:
                self._news = trio.Event()
                await self._news.wait()

    def numbers(self) -> list[int]:
        return [event.seq for event in self.events]


class Ledger(Shelf):
    """A storage in memory that holds events, and cannot keep anything while `is_full`."""

    def __init__(self) -> None:
        super().__init__()
        self.stored: list[Event] = []
        self.is_full = False

    async def position(self, before: int | None = None) -> Position:
        return Position("ledger", len(self.stored))

    async def events(self, query: EventQuery) -> Sequence[Event]:
        return self.stored[query.after : query.after + query.limit]

    async def keep(self, namespace: str, changes: Mapping[str, bytes | None]) -> None:
        if self.is_full:
            raise StorageUnavailableError("the disk is full")
        await super().keep(namespace, changes)


class House:
    """A storage, and what it publishes."""

    def __init__(self) -> None:
        self.storage = Ledger()
        self.bus = Bus()
        self.health = Health()

    def say(self, count: int = 1) -> None:
        """Store some events in one batch, and publish them."""
        first = len(self.storage.stored) + 1
        events = [Event(seq, "message_added", 0) for seq in range(first, first + count)]
        self.storage.stored += events
        self.bus.publish(Stored(events))

    @asynccontextmanager
    async def delivering(self, *sinks: Mailbox) -> AsyncIterator[None]:
        """Deliver to sinks under a supervisor, as the daemon does."""
        async with open_supervisor("sink", self.health) as supervisor:
            for sink in sinks:
                await supervisor.start(sink.name, Delivery(sink, self.storage, self.bus).run)
            yield


@pytest.fixture
def house() -> House:
    return House()


async def test_a_new_sink_hears_what_is_stored_from_then_on(house: House) -> None:
    house.say(2)
    mailbox = Mailbox()
    async with house.delivering(mailbox):
        house.say()
        await mailbox.until(1)
        house.bus.publish(Stored(conversations=["c"]))  # no event: nothing to deliver
        house.say(2)
        await mailbox.until(3)
        assert house.health.services["sink mailbox"] == ServiceHealth("running")
    assert mailbox.numbers() == [3, 4, 5]
    assert mailbox.sizes == [1, 2]
    assert (mailbox.entered, mailbox.left) == (1, 1)


async def test_a_sink_goes_on_where_it_was_left_over_restarts(house: House) -> None:
    mailbox, later = Mailbox(), Mailbox()
    async with house.delivering(mailbox):
        house.say()
        await mailbox.until(1)
        await wait_all_tasks_blocked()
    house.say(2)  # while nobody delivers
    async with house.delivering(later):
        await later.until(2)
        house.say()
        await later.until(3)
    assert mailbox.numbers() == [1]
    assert later.numbers() == [2, 3, 4]


async def test_what_arrived_is_remembered_before_anything_else_is_delivered(house: House) -> None:
    mailbox = Mailbox()
    kept: list[bytes] = []

    async def look(_: Sequence[Event]) -> None:
        kept.append((await house.storage.kept(NAMESPACE))["mailbox"])

    mailbox.before = look
    async with house.delivering(mailbox):
        house.say(2 * EVENTS_AT_ONCE)
        await mailbox.until(2 * EVENTS_AT_ONCE)
    assert kept == [b"0", b"100"]


async def test_each_sink_has_its_own_place(house: House) -> None:
    mailbox, stuck = Mailbox("mailbox"), Mailbox("stuck")

    async def wait(_: Sequence[Event]) -> None:
        await trio.sleep_forever()

    stuck.before = wait
    async with house.delivering(mailbox, stuck):
        house.say()
        await mailbox.until(1)
        await wait_all_tasks_blocked()
    assert await house.storage.kept(NAMESPACE) == {"mailbox": b"1", "stuck": b"0"}


async def test_who_is_behind_gets_much_at_once_and_holds_up_nobody(house: House) -> None:
    mailbox = Mailbox()
    gate = trio.Event()

    async def wait(_: Sequence[Event]) -> None:
        await gate.wait()

    mailbox.before = wait
    async with house.delivering(mailbox):
        for _ in range(1000):
            house.say()  # waits for nobody
            await trio.lowlevel.checkpoint()
        gate.set()
        await mailbox.until(1000)
    assert mailbox.numbers() == [*range(1, 1001)]
    assert max(mailbox.sizes) == EVENTS_AT_ONCE


async def test_what_was_refused_is_offered_again(house: House, autojump_clock: MockClock) -> None:
    mailbox = Mailbox()
    refused: list[float] = []

    async def refuse(_: Sequence[Event]) -> None:
        if len(refused) < 3:
            refused.append(trio.current_time())
            raise OSError("not at home")

    mailbox.before = refuse
    with structlog.testing.capture_logs() as logs:
        async with house.delivering(mailbox):
            house.say()
            await mailbox.until(1)
    assert [later - sooner for sooner, later in pairwise(refused)] == [1, 2]
    assert mailbox.numbers() == [1]
    assert (mailbox.entered, mailbox.left) == (4, 4)
    assert {(log["service"], log["reason"]) for log in logs} == {("sink mailbox", "OSError: not at home")}


async def test_a_delivery_that_takes_too_long_is_cut_short(house: House, autojump_clock: MockClock) -> None:
    mailbox = Mailbox()

    async def hang_once(_: Sequence[Event]) -> None:
        mailbox.before = None
        await trio.sleep_forever()

    mailbox.before = hang_once
    with structlog.testing.capture_logs() as logs:
        async with house.delivering(mailbox):
            began = trio.current_time()
            house.say()
            await mailbox.until(1)
            assert trio.current_time() - began == LIMITS.deliver + 1
    assert [log["reason"] for log in logs] == ["sink 'mailbox' did not take 1 events within 300 seconds"]
    assert mailbox.numbers() == [1]


async def test_a_sink_that_is_never_ready_is_an_error_of_the_start(house: House, autojump_clock: MockClock) -> None:
    class Sleeper(Mailbox):
        async def __aenter__(self) -> Self:
            await trio.sleep_forever()
            raise AssertionError

    with pytest.RaisesGroup(pytest.RaisesExc(SlowSinkError, match="sink 'mailbox' was not ready within 30 seconds")):
        async with house.delivering(Sleeper()):
            raise AssertionError


async def test_a_place_that_cannot_be_stored_is_remembered(house: House, autojump_clock: MockClock) -> None:
    """A full disk is no reason to deliver the same events again and again."""
    mailbox = Mailbox()
    async with house.delivering(mailbox):
        house.storage.is_full = True

        async def fail_second(events: Sequence[Event]) -> None:
            if events[0].seq == 2:
                mailbox.before = None
                raise OSError("stumbled")

        mailbox.before = fail_second
        house.say()
        await mailbox.until(1)
        house.say()
        await mailbox.until(2)
        house.storage.is_full = False
        house.say()
        await mailbox.until(3)
        await wait_all_tasks_blocked()
    assert mailbox.numbers() == [1, 2, 3]
    assert mailbox.entered == 2
    assert await house.storage.kept(NAMESPACE) == {"mailbox": b"3"}


class TestMailbox(SinkContract):
    @pytest.fixture
    def sinks(self) -> Sinks:
        return Mailbox
