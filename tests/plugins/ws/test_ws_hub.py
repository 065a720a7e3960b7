"""One hub, many clients: each broadcast is encoded once, and nobody waits for anybody."""

from __future__ import annotations

from contextlib import AsyncExitStack

import trio
import trio.lowlevel
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from trio.testing import MockClock, wait_all_tasks_blocked
from trio_websocket import ConnectionClosed

from ccod_ws.events import FileChanged
from ccod_ws.feed import Feed
from ccod_ws.filters import Topic
from ccod_ws.frames import Frame
from ccod_ws.guests import CLOSE_SECONDS, STALL_SECONDS
from ccod_ws.hub import WATCH_SECONDS
from ccod_ws.outbox import JOINED_BYTES, MAX_FRAMES, Outbox
from ccod_ws.settings import WsSettings
from ccod_ws.transport import WsTransport
from tests.plugins.ws.house import LIMIT, added, join, make_house, open_house

CHANGE = FileChanged("change", "/x/c1.jsonl", 1, 1)
FILES = Topic("files", "change")


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(["files", "system"]), max_size=12))
async def test_a_broadcast_is_encoded_once_for_all(channels: list[str]) -> None:
    house = make_house()
    async with AsyncExitStack() as stack:
        lines = [await stack.enter_async_context(join(house, channel)) for channel in channels]
        house.hub.publish(FILES, CHANGE)
        await wait_all_tasks_blocked()
        frames = [frame for line in lines for frame in line.frames]
        assert len(frames) == channels.count("files")
        assert all(frame is frames[0] for frame in frames)
    assert not house.hub.guests


async def test_content_is_parsed_once_for_all() -> None:
    async with open_house() as house, house.listener("conversations") as one, house.listener("conversations") as two:
        house.store(added(1))
        assert (await one.hear())["data"] == (await two.hear())["data"]
        assert house.parser.asked == 1


async def test_a_client_that_reads_slowly_misses_nothing_and_holds_up_nobody(autojump_clock: MockClock) -> None:
    house = make_house(WsSettings(ping_interval=0))
    count = 3 * MAX_FRAMES
    async with trio.open_nursery() as nursery:
        async with join(house, "conversations") as slow, join(house, "conversations") as healthy:
            await nursery.start(Feed(house.hub, house.observatory).run)
            slow.pause = 10_000
            for number in range(1, count + 1):
                house.store(added(number))
                await wait_all_tasks_blocked()
                assert len(healthy.frames) == number
            slow.pause = 1
            await trio.sleep(20_000)
            heard = slow.messages
        nursery.cancel_scope.cancel()
    (lagged,) = [one for one in heard if one["type"] == "lagged"]
    assert 0 < lagged["from"] < count
    assert (heard[-1]["type"], heard[-1]["seq"]) == ("live", count)
    assert [one["seq"] for one in heard if one["type"] == "broadcast"] == list(range(1, count + 1))


async def test_a_client_that_reads_nothing_is_let_go_and_forgotten(autojump_clock: MockClock) -> None:
    house = make_house()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(house.hub.watch)
        async with join(house, "files", stuck=True) as line, join(house, "files") as healthy:
            began = trio.current_time()
            for _ in range(MAX_FRAMES + 5):
                house.hub.publish(FILES, CHANGE)
                await wait_all_tasks_blocked()
            assert len(healthy.messages) == MAX_FRAMES + 5
            while not line.aborted:
                await trio.sleep(0.5)
            assert trio.current_time() - began <= STALL_SECONDS + CLOSE_SECONDS + 2 * WATCH_SECONDS
            stuck = min(house.hub.guests, key=lambda guest: guest.name)
            assert stuck.farewell == (1013, "does not read")
            assert not stuck.listener.outbox
            assert not stuck.listener.subscriptions
        nursery.cancel_scope.cancel()


async def test_a_ping_must_be_answered_in_time(autojump_clock: MockClock) -> None:
    house = make_house()
    async with join(house) as deaf, join(house) as alive:
        await trio.sleep(30 + 4)
        assert alive.messages[-1]["type"] == deaf.messages[-1]["type"] == "ping"
        alive.say(type="pong", timestamp=1)
        assert deaf.closed is None
        await trio.sleep(2)
        assert deaf.closed == (1008, "pong timeout")
        assert alive.closed is None
        await trio.sleep(30)
        assert [message["type"] for message in alive.messages] == ["ping", "ping"]


async def test_outbox_is_bounded_in_number_and_bytes() -> None:
    outbox = Outbox(max_frames=3, max_bytes=50)
    big, small = Frame(b"b" * 60), Frame(b"s" * 20)
    assert outbox.put(big)
    assert not outbox.put(small)
    assert outbox.take() == [big]
    assert outbox.put(small)
    assert outbox.put(small)
    assert not outbox.put(Frame(b"t" * 10))
    outbox.put_anyway(big, first=True)
    outbox.close()
    assert outbox.put(big)
    assert outbox.take() == [big, small, small]
    assert (len(outbox), outbox.bytes) == (0, 0)


async def test_what_waits_goes_out_together_but_not_too_much_of_it() -> None:
    outbox = Outbox()
    frames = [Frame(bytes(JOINED_BYTES // 3)) for _ in range(5)]
    for each in frames:
        assert outbox.put(each)
    assert [len(outbox.take()) for _ in range(3)] == [2, 2, 1]


async def test_stopping_says_goodbye_to_all() -> None:
    async with open_house() as house, house.listener("system") as one, house.listener("files") as two:
        house.observatory.stopping.set()
        heard = await one.rest()
        assert {"event": "server_shutdown", "reconnectAfter": 5000} in [message.get("data") for message in heard]
        assert await two.rest() == []
        assert one.closed == two.closed == (1001, "server shutdown")


async def test_stopping_waits_for_a_stuck_client_no_longer_than_allowed(autojump_clock: MockClock) -> None:
    house = make_house()
    async with join(house, "system", stuck=True), join(house, "system") as healthy:
        began = trio.current_time()
        await house.hub.shut()
        assert trio.current_time() - began <= 2 * CLOSE_SECONDS
        assert healthy.closed == (1001, "server shutdown")
        assert healthy.messages[-1]["data"]["event"] == "server_shutdown"


async def test_a_hub_that_is_shut_takes_nobody_in() -> None:
    async with open_house() as house:
        await house.hub.shut()
        refusal = await house.knock()
        assert refusal.status_code == 503
        assert refusal.json()["error"]["code"] == "SERVICE_UNAVAILABLE"


async def test_what_the_bus_could_not_carry_comes_from_storage() -> None:
    async with open_house() as house, house.listener("conversations") as client:
        for number in range(1, 1001):
            house.store(added(number))
        heard = [await client.hear()]
        while heard[-1]["type"] != "live":
            heard.append(await client.hear())
        assert [one["type"] for one in heard].count("lagged") == 1
        assert [one["seq"] for one in heard if one["type"] == "broadcast"] == list(range(1, 1001))


async def test_clients_that_stay_through_a_failure_miss_nothing() -> None:
    house = make_house()
    async with join(house, "conversations") as line, trio.open_nursery() as nursery:
        house.store(added(1), added(2))
        await nursery.start(WsTransport(house.hub, house.observatory).run)
        await wait_all_tasks_blocked()
        assert [(one["type"], one.get("seq")) for one in line.messages] == [
            ("lagged", None),
            ("broadcast", 1),
            ("broadcast", 2),
            ("live", 2),
        ]
        nursery.cancel_scope.cancel()


async def test_a_client_that_leaves_is_forgotten() -> None:
    async with open_house() as house:
        for _ in range(5):
            async with house.listener("files"):
                pass
        async with house.listener("files") as rude:
            await rude.ws._stream.aclose()
        with trio.fail_after(LIMIT):
            while len(house.hub.guests):
                await trio.sleep(0.01)


async def test_shutdown_in_the_middle_of_a_storm() -> None:
    """Whoever subscribes while all is stopping is closed all the same."""
    async with open_house() as house, trio.open_nursery() as nursery:

        async def come_and_go() -> None:
            try:
                async with house.listener("files") as client:
                    await client.rest()
                    assert client.closed == (1001, "server shutdown")
            except ConnectionClosed:
                assert house.observatory.stopping.is_set()

        for _ in range(10):
            nursery.start_soon(come_and_go)
        with trio.fail_after(LIMIT):
            while len(house.hub.guests) < 10:
                await trio.lowlevel.checkpoint()
        house.observatory.stopping.set()
