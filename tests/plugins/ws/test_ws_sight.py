"""Who does not see all machines hears of those that they see; what is heard of others' is noted first."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import trio
from trio.testing import wait_all_tasks_blocked

from ccod import Event, FileChange, Look, Read, StorageUnavailableError, User
from ccod_ws.channels import Channel
from ccod_ws.client import Client
from ccod_ws.feed import Feed
from ccod_ws.guests import Origin
from ccod_ws.settings import WsSettings
from tests.plugins.ws.house import House, Line, added, conversation, make_house

MINE, THEIRS = "mine", "theirs"


class Weather(msgspec.Struct, tag_field="event", tag="weather"):
    degrees: int


def of(machine: str, event: Event) -> Event:
    return msgspec.structs.replace(event, machine=machine)


def looking(machines: frozenset[str] | None, own: frozenset[str] | None) -> Look:
    user = User("u", "u@example.com", "user", machines=machines, own=own)
    return Look(user, "192.0.2.1", "WEBSOCKET /ws", "here")


@asynccontextmanager
async def listening(house: House, look: Look, **since: Any) -> AsyncIterator[Line]:
    """A client who looks so, and has subscribed to everything."""
    line = Line()
    client = Client(house.hub, line, Origin(look=look), house.settings[WsSettings])
    async with trio.open_nursery() as nursery:
        await nursery.start(Feed(house.hub, house.observatory).run)
        house.hub.join(client)
        nursery.start_soon(client.run)
        for channel in house.hub.channels:
            line.say(type="subscribe", channel=channel, **since)
        await wait_all_tasks_blocked()
        yield line
        line.abort()
        nursery.cancel_scope.cancel()
    house.hub.leave(client)


def heard(line: Line) -> list[Any]:
    """Return of what conversations a client was told, or by which seq."""
    told = [message for message in line.messages if message["type"] == "broadcast"]
    return [each.get("seq", each["data"].get("conversation", {}).get("id")) for each in told]


async def test_others_events_are_heard_neither_live_nor_again() -> None:
    house = make_house(WsSettings(ping_interval=0))
    house.storage.kept_conversations = {
        "c1": conversation("c1", machine=MINE),
        "c2": conversation("c2", machine=THEIRS),
    }
    house.storage.all_events += [of(THEIRS, added(1, conversation_id="c2")), of(MINE, added(2))]
    look = looking(frozenset({MINE}), frozenset({MINE}))
    async with listening(house, look, since=0) as line:
        house.store(of(THEIRS, added(3, conversation_id="c2")), of(MINE, added(4)), conversations=["c1", "c2"])
        house.store(Event(5, "conversation_forgotten", 1000, "c2", machine=THEIRS))
        house.store(Event(6, "conversation_forgotten", 1000, "c3"))  # of a machine that nobody knows any more
        await wait_all_tasks_blocked()
        assert heard(line) == [2, 4, "c1"]
    assert house.storage.all_reads == []


async def test_files_are_those_of_a_machine() -> None:
    """Also of another daemon's, and where both have a file of the same path."""
    house = make_house(WsSettings(ping_interval=0))
    async with listening(house, looking(frozenset({MINE}), frozenset({MINE}))) as line:
        for size, machine in enumerate((None, THEIRS, MINE)):
            house.store(file=FileChange("add", "/x", size, machine))
        await wait_all_tasks_blocked()
        assert [message["data"]["size"] for message in line.messages if message["type"] == "broadcast"] == [2]


async def test_channels_of_others_are_for_whom_their_events_name() -> None:
    channel = Channel("weather", "How warm it is.", [Weather])
    house = make_house(WsSettings(ping_interval=0), channel)
    async with listening(house, looking(frozenset({MINE}), frozenset({MINE}))) as line:
        for degrees, machine in enumerate((None, THEIRS, MINE, "")):
            channel.publish(Weather(degrees), machine=machine)
        await wait_all_tasks_blocked()
        assert [message["data"]["degrees"] for message in line.messages if message["type"] == "broadcast"] == [2, 3]


async def test_a_conversation_of_others_is_noted_once_for_a_connection() -> None:
    house = make_house(WsSettings(ping_interval=0))
    house.storage.all_events += [of(THEIRS, added(1, conversation_id="c2")), of(MINE, added(2))]
    async with listening(house, looking(None, frozenset({MINE})), since=0) as line:
        for seq in (3, 5):
            house.store(of(THEIRS, added(seq, conversation_id="c2")), of(THEIRS, added(seq + 1, conversation_id="c3")))
        await wait_all_tasks_blocked()
        assert heard(line) == [1, 2, 3, 4, 5, 6]
    noted = [(each.conversation_id, each.machine, each.user_id, each.route) for each in house.storage.all_reads]
    assert noted == [(key, THEIRS, "u", "WEBSOCKET /ws") for key in ("c2", "c3")]


async def test_what_cannot_be_noted_is_not_heard() -> None:
    house = make_house(WsSettings(ping_interval=0))

    async def full(reads: Sequence[Read]) -> None:
        raise StorageUnavailableError("the disk is full")

    house.storage.note_reads = full  # type: ignore[method-assign]
    async with listening(house, looking(None, frozenset({MINE}))) as line:
        house.store(of(MINE, added(1)), of(THEIRS, added(2, conversation_id="c2")))
        await wait_all_tasks_blocked()
        assert heard(line) == [1]
        assert line.closed == (1013, "reads cannot be logged")
