"""Every stored event once and in order, however a client comes and goes."""

from __future__ import annotations

import random
from typing import Any

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import MockClock

from ccod import Event
from ccod_ws.feed import Feed
from ccod_ws.filters import Filter
from ccod_ws.listener import LARGEST_PORTION, PORTION_BYTES
from ccod_ws.listener import Listener as Reader
from tests.plugins.ws.house import LIMIT, House, Listener, added, conversation, join, make_house, open_house


def seqs(messages: list[dict[str, Any]]) -> list[int]:
    return [one["seq"] for one in messages if one["type"] == "broadcast" and "seq" in one]


async def until_live(client: Listener) -> list[dict[str, Any]]:
    heard = [await client.hear()]
    while heard[-1]["type"] != "live":
        heard.append(await client.hear())
    return heard


async def test_what_was_missed_comes_first_and_then_what_happens() -> None:
    async with open_house() as house:
        house.store(*(added(seq) for seq in range(1, 250)))
        async with house.listener() as client:
            await client.say(type="subscribe", channel="conversations", since=3)
            subscribed = await client.hear()
            assert (subscribed["type"], subscribed["seq"]) == ("subscribed", 249)
            heard = await until_live(client)
            assert heard[-1]["seq"] == 249
            house.store(added(250))
            heard.append(await client.hear())
    assert seqs(heard) == list(range(4, 251))


async def test_what_is_told_again_reads_as_it_did() -> None:
    async with open_house() as house, house.listener("conversations") as live:
        house.storage.kept_conversations["c1"] = conversation("c1")
        house.store(Event(1, "conversation_started", 1000, "c1", "p1"), added(2, "half \ud800"))
        first = [await live.hear() for _ in range(2)]
        async with house.listener() as late:
            await late.say(type="subscribe", channel="conversations", since=0)
            await late.hear()
            assert (await until_live(late))[:-1] == first


async def test_filters_choose_what_is_told_and_told_again() -> None:
    async with open_house() as house, house.listener() as live, house.listener() as late:
        wanted = {"conversationId": ["c1", "c2"], "types": ["message_added"]}
        await live.say(type="subscribe", channel="conversations", filter=wanted)
        await live.hear()
        told = [added(seq, conversation_id=f"c{seq % 4}") for seq in range(1, 41)]
        house.store(*told, Event(41, "conversation_forgotten", 1, "c1"), added(42, conversation_id="c1"))
        heard = [await live.hear()]
        while heard[-1]["seq"] != 42:
            heard.append(await live.hear())
        await late.say(type="subscribe", channel="conversations", filter=wanted, since=0)
        await late.hear()
        assert seqs(await until_live(late)) == seqs(heard)
        assert seqs(heard) == [seq for seq in range(1, 41) if seq % 4 in {1, 2}] + [42]


async def test_one_project_is_one_string() -> None:
    async with open_house() as house, house.listener() as client:
        await client.say(type="subscribe", channel="projects", filter={"projectId": "p1"})
        await client.hear()
        house.store(
            Event(1, "project_forgotten", 1, project_id="p2"), Event(2, "project_forgotten", 1, project_id="p1")
        )
        assert (await client.hear())["data"] == {"event": "project_forgotten", "projectId": "p1"}


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"since": -1}, "INVALID_SINCE"),
    ({"since": 6}, "INVALID_SINCE"),
    ({"since": 2**63}, "INVALID_SINCE"),
    ({"since": "yesterday"}, "INVALID_SINCE"),
    ({"since": 1.5}, "INVALID_MESSAGE"),
    ({"since": [1]}, "INVALID_MESSAGE"),
    ({"since": 3, "epoch": "another"}, "INVALID_SINCE"),
    ({"filter": {"types": ["nonsense"]}}, "INVALID_FILTER"),
    ({"filter": {"types": ["add"]}}, "INVALID_FILTER"),
    ({"filter": {"projectId": ["p"] * 51}}, "INVALID_FILTER"),
    ({"filter": {"project": "p"}}, "INVALID_MESSAGE"),
    ({"filter": {"projectId": 7}}, "INVALID_MESSAGE"),
    ({"channel": "files", "filter": {"projectId": "p"}}, "INVALID_FILTER"),
]


@pytest.mark.parametrize(("asked", "code"), WRONG)
async def test_what_cannot_be_is_said_clearly_and_changes_nothing(asked: dict[str, Any], code: str) -> None:
    async with open_house() as house, house.listener("conversations") as client:
        house.store(*(added(seq) for seq in range(1, 6)))
        for _ in range(5):
            await client.hear()
        await client.say(**({"type": "subscribe", "channel": "conversations"} | asked))
        error = await client.hear()
        assert (error["type"], error["code"]) == ("error", code)
        house.store(added(6))
        assert (await client.hear())["seq"] == 6


async def test_another_database_is_told_by_its_epoch() -> None:
    async with open_house() as house, house.client() as client:
        house.store(*(added(seq) for seq in range(1, 4)))
        welcome = await client.hear()
        await client.say(type="subscribe", channel="conversations", since=0, epoch=welcome["epoch"])
        assert (await client.hear())["type"] == "subscribed"


async def test_a_time_is_a_place_too() -> None:
    async with open_house() as house, house.listener() as client:
        house.store(*(Event(seq, "conversation_forgotten", 1000 * seq, "c1") for seq in range(1, 9)))
        await client.say(type="subscribe", channel="conversations", since="1970-01-01T00:00:05Z")
        await client.hear()
        assert seqs(await until_live(client)) == [5, 6, 7, 8]


async def test_who_subscribes_again_begins_again() -> None:
    async with open_house() as house, house.listener("conversations") as client:
        house.store(added(1), added(2))
        assert [(await client.hear())["seq"] for _ in range(2)] == [1, 2]
        await client.say(type="subscribe", channel="conversations", since=1)
        await client.hear()
        assert seqs(await until_live(client)) == [2]


async def test_a_storage_that_is_away_is_waited_for(autojump_clock: MockClock) -> None:
    house = make_house()
    house.store(added(1))
    async with join(house) as line:
        house.storage.away = 2
        line.say(type="subscribe", channel="conversations", since=0)
        await trio.sleep(10)
        assert [one["type"] for one in line.messages] == ["subscribed", "broadcast", "live"]


class Storm:
    """Events that are stored while clients come and go, read and read slowly; the bus cuts the hub off at times."""

    def __init__(self, house: House, seed: int) -> None:
        self.house = house
        self.dice = random.Random(seed)
        self.over = False

    async def blow(self, gusts: int) -> None:
        for _ in range(gusts):
            for _ in range(self.dice.choice([1, 1, 2, 5, 400])):
                seq = len(self.house.storage.all_events) + 1
                self.house.store(added(seq, conversation_id=f"c{seq % 3}"), conversations=[f"c{seq % 3}"])
            await trio.sleep(self.dice.choice([0, 0.01, 1]))
        self.over = True

    async def hear(self, wanted: dict[str, Any], heard: list[int]) -> None:
        """Come, stay for a while, go, and come again after what was heard last, until all has been heard."""
        over = False
        while not over:
            over = self.over
            async with join(self.house) as line:
                line.say(type="subscribe", channel="conversations", filter=wanted, since=max(heard, default=0))
                line.pause = self.dice.choice([0, 0, 0.2])
                await trio.sleep(1000 if over else self.dice.choice([0.01, 0.5, 3]))
                heard += seqs(line.messages)


@given(st.integers(0, 2**32))
@settings(max_examples=15)
def test_nobody_misses_or_doubles_anything_in_a_storm(seed: int) -> None:
    trio.run(weather, seed, clock=MockClock(autojump_threshold=0))


async def weather(seed: int) -> None:
    house = make_house()
    storm = Storm(house, seed)
    everyone: list[tuple[dict[str, Any], list[int]]] = [
        ({}, []),
        ({"conversationId": "c1"}, []),
        ({"types": ["message_added"]}, []),
    ]
    async with trio.open_nursery() as nursery:
        await nursery.start(Feed(house.hub, house.observatory).run)
        async with trio.open_nursery() as clients:
            for wanted, heard in everyone:
                clients.start_soon(storm.hear, wanted, heard)
            await storm.blow(15)
        nursery.cancel_scope.cancel()
    for wanted, heard in everyone:
        sought = wanted.get("conversationId")
        assert heard == [event.seq for event in house.storage.all_events if sought in {None, event.conversation_id}]


async def test_who_catches_up_holds_little_at_a_time_however_large_the_messages_are() -> None:
    async with open_house() as house:
        house.store(*(added(seq) for seq in range(1, 400)), *(added(seq, "x" * 50_000) for seq in range(400, 460)))
        with trio.fail_after(LIMIT):
            while house.hub.position < 459:
                await trio.sleep(0.01)
        listener = Reader(house.hub)
        listener.subscribe([house.hub.channels["conversations"]], Filter(), 0, None)
        told: list[int] = []
        counts, sizes = [], []
        while len(told) < 459:
            frames = await listener.take()
            counts.append(len(frames) + len(listener.outbox))
            sizes.append(sum(frame.size for frame in frames) + listener.outbox.bytes)
            told += [frame.seq for frame in frames if frame.seq is not None]
    assert told == list(range(1, 460))
    assert LARGEST_PORTION in counts
    assert max(sizes[-10:]) <= PORTION_BYTES


async def test_a_place_that_another_daemon_told_is_waited_for(autojump_clock: MockClock) -> None:
    """A daemon that was cut off from a storage that it shares hears of the others' events half a minute later."""
    house = make_house()
    house.storage.all_events = [added(seq) for seq in range(1, 13)]
    house.hub.begin(await house.storage.position())
    house.storage.all_events += [added(seq) for seq in range(13, 41)]

    async def hear_of_the_others() -> None:
        await trio.sleep(35)
        house.hub.pass_over(40)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(hear_of_the_others)
        assert (await house.hub.place(36), house.hub.position) == (36, 40)
    assert await house.hub.place(99) == 99  # which is no place at all: nobody waits for it
    assert trio.current_time() < 36
