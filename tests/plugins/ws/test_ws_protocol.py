"""The seed's protocol to the letter, and what the hub says to whoever does not keep to it."""

from __future__ import annotations

import json
from contextlib import suppress

import trio
from hypothesis import given
from hypothesis import strategies as st
from trio_websocket import ConnectionClosed

from ccod import Block, Event, FileChange
from ccod_ws import protocol
from ccod_ws.settings import WsSettings
from tests.plugins.ws.house import LIMIT, added, conversation, open_house, project


async def test_a_client_is_welcomed() -> None:
    async with open_house() as house, house.client() as client:
        welcome = await client.hear()
    assert welcome == {
        "type": "welcome",
        "clientId": "client_1",
        "timestamp": welcome["timestamp"],
        "epoch": "shelf",
        "seq": 0,
    }
    assert isinstance(welcome["timestamp"], int)


async def test_broadcasts_read_as_the_seed_says() -> None:
    async with open_house() as house, house.listener("conversations") as client:
        house.storage.kept_conversations["c1"] = conversation("c1")
        house.store(conversations=["c1"])
        heard = await client.hear()
    assert list(heard) == ["type", "channel", "data", "timestamp", "asOf"]
    assert (heard["type"], heard["channel"]) == ("broadcast", "conversations")
    assert isinstance(heard["timestamp"], int)
    assert list(heard["data"]) == ["event", "conversation"]
    assert heard["data"]["event"] == "conversation_updated"
    assert heard["data"]["conversation"]["id"] == "c1"
    assert heard["data"]["conversation"]["projectName"] == "shop-api"


async def test_stored_events_come_in_order_with_their_seq() -> None:
    async with open_house() as house, house.listener("conversations") as client:
        house.storage.kept_conversations["c1"] = conversation("c1")
        started = Event(7, "conversation_started", 1000, conversation_id="c1", project_id="p1")
        house.store(started, added(8, "first"), added(9, "second"))
        heard = [await client.hear() for _ in range(3)]
    assert [one["seq"] for one in heard] == [7, 8, 9]
    assert heard[0]["data"] == {
        "event": "conversation_started",
        "conversationId": "c1",
        "sessionId": "c1",
        "projectId": "p1",
        "projectName": "shop-api",
        "startTime": 1000,
    }
    assert [one["data"]["message"]["content"] for one in heard[1:]] == ["first", "second"]
    assert heard[1]["data"]["event"] == "message_added"
    assert heard[1]["data"]["conversationId"] == "c1"


async def test_projects_and_files_have_channels() -> None:
    async with open_house() as house, house.listener("projects", "files") as client:
        house.storage.kept_projects["p1"] = project("p1")
        house.store(Event(1, "project_discovered", 1000, project_id="p1"))
        discovered = await client.hear()
        house.store(projects=["p1"])
        updated = await client.hear()
        house.store(file=FileChange("add", "/x/c1.jsonl", 12))
        file = await client.hear()
    assert discovered["data"]["event"] == "project_discovered"
    assert discovered["data"]["project"]["claudePath"] == "/home/ada/shop-api"
    assert (discovered["seq"], updated["data"]["event"]) == (1, "project_updated")
    assert file["channel"] == "files"
    timestamp = file["data"].pop("timestamp")
    assert isinstance(timestamp, int)
    assert file["data"] == {"event": "add", "filePath": "/x/c1.jsonl", "size": 12}


async def test_whoever_has_unsubscribed_hears_nothing() -> None:
    async with open_house() as house, house.listener("conversations", "files") as client:
        await client.say(type="unsubscribe", channel="conversations")
        assert (await client.hear())["type"] == "unsubscribed"
        house.store(added(1), file=FileChange("unlink", "/x/c1.jsonl", 0))
        assert (await client.hear())["channel"] == "files"


async def test_nothing_is_made_that_nobody_hears() -> None:
    async with open_house() as house, house.listener("files") as client:
        house.store(added(1), conversations=["c1"], projects=["p1"], file=FileChange("add", "/x", 1))
        await client.hear()
        assert house.parser.asked == 0
        assert house.storage.reads == []


async def test_a_ping_is_answered() -> None:
    async with open_house() as house, house.listener() as client:
        await client.say(type="ping")
        assert (await client.hear())["type"] == "pong"


async def test_half_a_character_in_a_message_is_replaced() -> None:
    async with open_house() as house, house.listener("conversations") as client:
        house.store(added(1, "odd \ud800 text"), added(2))
        odd, plain = await client.hear(), await client.hear()
    assert (odd["type"], odd["seq"]) == ("broadcast", 1)
    assert odd["data"]["event"] == "message_added"
    assert odd["data"]["message"]["content"].startswith("odd ")
    assert plain["seq"] == 2


async def test_a_tool_call_of_bottomless_depth_hurts_nobody() -> None:
    async with open_house() as house, house.listener("conversations") as client:
        deep: list[object] = []
        for _ in range(990):
            deep = [deep]
        house.parser.blocks = [Block("toolUse", id="t1", name="Odd", input=deep)]
        house.store(added(1), added(2))
        assert [(await client.hear())["data"]["message"]["blocks"][0]["name"] for _ in range(2)] == ["Odd", "Odd"]


JUNK: list[tuple[str | bytes, str]] = [
    ("", "INVALID_MESSAGE"),
    (b"", "INVALID_MESSAGE"),
    (b'{"type":"ping"}', "INVALID_MESSAGE"),
    ("no JSON", "INVALID_MESSAGE"),
    ("[]", "INVALID_MESSAGE"),
    ("null", "INVALID_MESSAGE"),
    ("1e999", "INVALID_MESSAGE"),
    ('{"channel":"files"}', "INVALID_MESSAGE"),
    ('{"type":1}', "INVALID_MESSAGE"),
    ('{"type":"subscribe"}', "INVALID_MESSAGE"),
    ('{"type":"subscribe","channel":["files"]}', "INVALID_MESSAGE"),
    ('{"type":"pong","timestamp":NaN}', "INVALID_MESSAGE"),
    ('{"type":"pong","timestamp":"now"}', "INVALID_MESSAGE"),
    ('{"type":"pong","deep":' + "[" * 20_000 + "]" * 20_000 + "}", "INVALID_MESSAGE"),
    ('{"type":"__proto__"}', "UNKNOWN_MESSAGE_TYPE"),
    ('{"type":"welcome"}', "UNKNOWN_MESSAGE_TYPE"),
    ('{"type":"subscribe","channel":"*"}', "UNKNOWN_CHANNEL"),
    ('{"type":"subscribe","channel":"../system"}', "UNKNOWN_CHANNEL"),
    ('{"type":"unsubscribe","channel":""}', "UNKNOWN_CHANNEL"),
]


async def test_junk_is_answered_with_an_error_and_hurts_nobody() -> None:
    async with open_house() as house, house.listener("files") as client:
        for junk, code in JUNK:
            await client.send(junk)
            error = await client.hear()
            assert (error["type"], error["code"]) == ("error", code), junk
            assert error["message"]
        house.store(file=FileChange("add", "/x", 1))
        assert (await client.hear())["data"]["event"] == "add"


@given(
    st.one_of(
        st.none(),
        st.binary(max_size=50),
        st.text(max_size=50),
        st.dictionaries(
            st.sampled_from(["type", "channel", "timestamp"]),
            st.sampled_from(["subscribe", "pong", "files"]) | st.text() | st.floats() | st.none(),
        ).map(json.dumps),
    )
)
def test_reading_a_message_raises_nothing_but_a_protocol_error(junk: str | bytes | None) -> None:
    with suppress(protocol.ProtocolError):
        assert isinstance(protocol.read(junk), protocol.Request)


async def test_a_message_that_is_too_long_ends_the_connection() -> None:
    async with open_house() as house, house.listener() as client:
        await client.send('{"type":"pong","pad":"' + "x" * 70_000 + '"}')
        await client.rest()
        assert client.closed[0] == 1009


async def test_too_many_messages_end_the_connection() -> None:
    async with open_house() as house, house.listener() as client:
        with suppress(ConnectionClosed):
            for _ in range(70):
                await client.say(type="pong", timestamp=1)
        (error,) = await client.rest()
        assert error["code"] == "RATE_LIMIT_EXCEEDED"
        assert client.closed == (1008, "too many messages")


async def test_an_unanswered_ping_ends_the_connection() -> None:
    async with (
        open_house(WsSettings(ping_interval=0.05, pong_timeout=0.1)) as house,
        house.listener() as deaf,
        house.listener() as alive,
    ):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(deaf.rest)
            for _ in range(8):
                ping = await alive.hear()
                assert ping == {"type": "ping", "timestamp": ping["timestamp"]}
                await alive.say(type="pong", timestamp=ping["timestamp"])
        assert deaf.closed == (1008, "pong timeout")
        assert alive.ws.closed is None


async def test_one_too_many_is_refused_before_the_upgrade() -> None:
    async with open_house(WsSettings(max_connections=1)) as house:
        async with house.listener():
            refusal = await house.knock()
            assert refusal.status_code == 503
            assert refusal.json()["error"]["code"] == "RESOURCE_LIMIT_EXCEEDED"
        with trio.fail_after(LIMIT):
            while len(house.hub.guests):
                await trio.sleep(0.01)
        async with house.listener():
            pass


async def test_a_stranger_is_refused_before_the_upgrade() -> None:
    async with open_house() as house:
        house.auth.strict = True
        assert (await house.knock()).status_code == 401
        assert len(house.hub.guests) == 0
