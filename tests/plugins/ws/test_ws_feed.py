"""Of many changes few broadcasts are made, and none too late."""

from __future__ import annotations

import threading
from itertools import pairwise

import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock, wait_all_tasks_blocked

from ccod import Ending, Event, FileChange, Reason, StateChange
from ccod_ws.coalescer import Coalescer
from ccod_ws.feed import Feed
from ccod_ws.telling import LARGE
from ccod_ws.vitals import tell_health
from tests.plugins.ws.house import LIMIT, added, conversation, join, make_house


async def test_what_is_quiet_passes_at_once(autojump_clock: MockClock) -> None:
    coalescer = Coalescer[str, int](0.25)
    for _ in range(3):
        began = trio.current_time()
        coalescer.add("a", 1)
        assert await coalescer.take(10) == [1]
        assert trio.current_time() == began
        await trio.sleep(1)


async def test_what_is_busy_passes_once_per_interval_with_its_last_value(autojump_clock: MockClock) -> None:
    coalescer = Coalescer[str, int](0.25)
    passed: list[tuple[float, int]] = []
    began = trio.current_time()

    async def take() -> None:
        while True:
            values = await coalescer.take(10)
            passed.extend((trio.current_time() - began, value) for value in values)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(take)
        for number in range(100):
            coalescer.add("a", number)
            await trio.sleep(0.01)
        await trio.sleep(1)
        nursery.cancel_scope.cancel()
    times = [time for time, _ in passed]
    assert times[0] == 0
    assert all(0.25 <= later - sooner < 0.27 for sooner, later in pairwise(times))
    assert passed[-1][1] == 99


async def test_a_busy_key_holds_up_no_quiet_one(autojump_clock: MockClock) -> None:
    coalescer = Coalescer[str, str](0.25)
    coalescer.add("busy", "busy")
    assert await coalescer.take(10) == ["busy"]
    coalescer.add("busy", "busy")
    coalescer.add("quiet", "quiet")
    began = trio.current_time()
    assert await coalescer.take(10) == ["quiet"]
    assert trio.current_time() == began


async def test_no_more_are_taken_at_once_than_asked_for(autojump_clock: MockClock) -> None:
    coalescer = Coalescer[int, int](0.25)
    for number in range(25):
        coalescer.add(number, number)
    assert [len(await coalescer.take(10)) for _ in range(3)] == [10, 10, 5]


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(0, 0.5)), max_size=40))
def test_the_last_value_of_every_key_passes_in_the_end(changes: list[tuple[int, float]]) -> None:
    trio.run(pass_all, changes, clock=MockClock(autojump_threshold=0))


async def pass_all(changes: list[tuple[int, float]]) -> None:
    coalescer = Coalescer[int, tuple[int, int]](0.25)
    passed: dict[int, int] = {}
    last: dict[int, int] = {}

    async def take() -> None:
        while True:
            passed.update(await coalescer.take(2))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(take)
        for number, (key, pause) in enumerate(changes):
            coalescer.add(key, (key, number))
            last[key] = number
            await trio.sleep(pause)
        await trio.sleep(1)
        nursery.cancel_scope.cancel()
    assert passed == last
    assert not coalescer._held
    assert not coalescer._due


async def test_updates_of_conversations_are_read_together_and_rarely(autojump_clock: MockClock) -> None:
    house = make_house()
    house.storage.kept_conversations = {key: conversation(key) for key in ("c1", "c2", "c3")}
    async with trio.open_nursery() as nursery:
        async with join(house, "conversations") as line:
            await nursery.start(Feed(house.hub, house.observatory).run)
            for _ in range(100):
                house.store(conversations=["c1", "c2", "c3", "gone"])
                await trio.sleep(0.01)
            await trio.sleep(1)
            updates = [one["data"]["conversation"]["id"] for one in line.messages if one["type"] == "broadcast"]
        nursery.cancel_scope.cancel()
    assert 4 <= updates.count("c1") <= 6
    assert updates.count("c1") == updates.count("c2") == updates.count("c3")
    assert len(house.storage.reads) == updates.count("c1")


async def test_what_cannot_be_read_now_is_told_once_it_can(autojump_clock: MockClock) -> None:
    house = make_house()
    house.storage.kept_conversations = {"c1": conversation("c1")}
    async with trio.open_nursery() as nursery:
        async with join(house, "conversations", "projects") as line:
            await nursery.start(Feed(house.hub, house.observatory).run)
            house.storage.away = 6  # for all that is to be read, twice
            house.store(Event(1, "conversation_started", 1000, "c1", "p1"), conversations=["c1"], projects=["p1"])
            house.store(added(2, "news"))
            await trio.sleep(10)
        nursery.cancel_scope.cancel()
    told = [one["data"]["event"] for one in line.messages if one["type"] == "broadcast"]
    assert told == ["conversation_started", "message_added", "conversation_updated"]
    assert house.storage.away == 0


async def test_a_large_message_is_shown_beside_the_loop_and_in_its_turn() -> None:
    house = make_house()
    sizes = [1, LARGE, LARGE - 1, 2 * LARGE, 2]
    async with trio.open_nursery() as nursery:
        async with join(house, "conversations") as line:
            await nursery.start(Feed(house.hub, house.observatory).run)
            for seq, size in enumerate(sizes, 1):
                house.store(added(seq, "x" * size))
            with trio.fail_after(LIMIT):
                while len(line.frames) < len(sizes):
                    await trio.sleep(0.001)
        nursery.cancel_scope.cancel()
    told = [(one["seq"], len(one["data"]["message"]["content"])) for one in line.messages if "data" in one]
    assert told == list(enumerate(sizes, 1))
    beside = {size for size, thread in house.parser.threads.items() if thread != threading.get_ident()}
    assert beside == {LARGE, 2 * LARGE}


async def test_states_are_told_as_they_were_stored(autojump_clock: MockClock) -> None:
    house = make_house()
    async with trio.open_nursery() as nursery:
        async with join(house, "conversations") as line:
            await nursery.start(Feed(house.hub, house.observatory).run)
            change = StateChange("active", "completed", "idle")
            house.store(
                Event(7, "conversation_state_changed", 1000, "c1", "p1", detail=change),
                Event(8, "conversation_ended", 1000, "c1", "p1", detail=Ending(90, 4, 2, 990)),
            )
            await wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    assert [(one["seq"], one["data"]) for one in line.messages if one["type"] == "broadcast"] == [
        (
            7,
            {
                "event": "conversation_state_changed",
                "conversationId": "c1",
                "from": "active",
                "to": "completed",
                "reason": "idle",
            },
        ),
        (
            8,
            {
                "event": "conversation_ended",
                "conversationId": "c1",
                "duration": 90,
                "messageCount": 4,
                "toolUsageCount": 2,
                "endTime": 990,
            },
        ),
    ]


async def test_a_new_file_that_changes_at_once_stays_new(autojump_clock: MockClock) -> None:
    house = make_house()
    async with trio.open_nursery() as nursery:
        async with join(house, "files") as line:
            await nursery.start(Feed(house.hub, house.observatory).run)
            for change in (FileChange("unlink", "/x", 0), FileChange("add", "/x", 5), FileChange("change", "/x", 9)):
                house.store(file=change)
                await wait_all_tasks_blocked()
            await trio.sleep(1)
            heard = [(one["data"]["event"], one["data"]["size"]) for one in line.messages if "data" in one]
        nursery.cancel_scope.cancel()
    assert heard == [("unlink", 0), ("add", 9)]


async def test_health_is_told_when_it_changes_and_each_half_minute(autojump_clock: MockClock) -> None:
    house = make_house()
    async with trio.open_nursery() as nursery:
        async with join(house, "system") as line:
            nursery.start_soon(tell_health, house.hub, house.observatory.health)
            await trio.sleep(10)
            house.observatory.health.set("storage", "degraded", Reason("DISK_FULL", "disk full", "make room"))
            await trio.sleep(1.5)
            assert line.messages[-1]["data"] == {
                "event": "system_health",
                "status": "degraded",
                "services": {"storage": {"state": "degraded", "reason": "disk full"}},
            }
            assert len(line.frames) == 2
            line.say(type="pong")
            await trio.sleep(20)
            assert [one["type"] for one in line.messages if one["type"] != "ping"] == ["broadcast"] * 2
        nursery.cancel_scope.cancel()
