"""One hub, many clients: each broadcast is encoded once, and nobody waits for anybody."""

from __future__ import annotations

from contextlib import AsyncExitStack

import trio
import trio.lowlevel
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import MockClock, wait_all_tasks_blocked
from trio_websocket import ConnectionClosed, open_websocket

from ccod import FileChange
from ccod_ws.client import CLOSE_SECONDS
from ccod_ws.events import FileChanged
from ccod_ws.hub import Hub
from ccod_ws.outbox import MAX_FRAMES, Outbox
from ccod_ws.protocol import Frame
from ccod_ws.settings import WsSettings
from ccod_ws.transport import WsTransport
from tests.plugins.ws.house import LIMIT, Listener, added, join, make_house, open_house

CHANGE = FileChanged("change", "/x/c1.jsonl", 1, 1)


@settings(max_examples=25)
@given(st.lists(st.sampled_from(["files", "system"]), max_size=12))
async def test_a_broadcast_is_encoded_once_for_all(channels: list[str]) -> None:
    hub = Hub(WsSettings())
    async with AsyncExitStack() as stack:
        lines = [await stack.enter_async_context(join(hub, channel)) for channel in channels]
        hub.broadcast("files", CHANGE)
        await wait_all_tasks_blocked()
        texts = [text for line in lines for text in line.heard]
        assert len(texts) == channels.count("files")
        assert all(text is texts[0] for text in texts)
    assert hub.connected == 0


async def test_content_is_parsed_once_for_all() -> None:
    async with open_house() as house, house.listener("conversations") as one, house.listener("conversations") as two:
        house.store(added(1))
        assert (await one.hear())["data"] == (await two.hear())["data"]
        assert house.parser.asked == 1


async def test_a_client_that_reads_too_slowly_is_let_go_and_others_hear_all() -> None:
    text = "x" * 100_000
    count = 400
    async with (
        open_house() as house,
        house.listener("conversations") as healthy,
        open_websocket(
            "127.0.0.1", house.port, "/ws", use_ssl=False, message_queue_size=1, disconnect_timeout=LIMIT
        ) as ws,
    ):
        slow = Listener(ws)
        await slow.say(type="subscribe", channel="conversations")
        with trio.fail_after(LIMIT):
            while sum("conversations" in client.channels for client in house.hub._clients) < 2:
                await trio.sleep(0.01)
        for number in range(count):
            house.store(added(number, text))
            assert (await healthy.hear())["seq"] == number
        heard = await slow.rest()
        assert slow.closed == (1013, "reads too slowly")
        await ws._stream.aclose()
    seqs = [one["seq"] for one in heard if one["type"] == "broadcast"]
    assert seqs == list(range(len(seqs)))
    assert len(seqs) < count


async def test_a_stuck_client_hears_nothing_more_and_is_forgotten(autojump_clock: MockClock) -> None:
    hub = Hub(WsSettings())
    async with join(hub, "files", stuck=True), join(hub, "files") as healthy:
        for _ in range(MAX_FRAMES + 5):
            hub.broadcast("files", CHANGE)
            await wait_all_tasks_blocked()
        assert len(healthy.heard) == MAX_FRAMES + 5
        assert [bool(client.channels) for client in sorted(hub._clients, key=lambda one: one.name)] == [False, True]


async def test_a_ping_must_be_answered_in_time(autojump_clock: MockClock) -> None:
    hub = Hub(WsSettings())
    async with join(hub) as deaf, join(hub) as alive:
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
    outbox = Outbox(max_frames=3, max_bytes=10)
    big, small = Frame("b", 11), Frame("s", 5)
    assert outbox.put(big)
    assert not outbox.put(small)
    assert await outbox.get() == big
    assert outbox.put(small)
    assert outbox.put(small)
    assert not outbox.put(Frame("t", 1))
    outbox.put_first(big)
    outbox.close()
    assert outbox.put(big)
    assert [await outbox.get() for _ in range(4)] == [big, small, small, None]


async def test_stopping_says_goodbye_to_all() -> None:
    async with open_house() as house, house.listener("system") as one, house.listener("files") as two:
        house.observatory.stopping.set()
        heard = await one.rest()
        assert {"event": "server_shutdown", "reconnectAfter": 5000} in [message.get("data") for message in heard]
        assert await two.rest() == []
        assert one.closed == two.closed == (1001, "server shutdown")


async def test_stopping_waits_for_a_stuck_client_no_longer_than_allowed(autojump_clock: MockClock) -> None:
    hub = Hub(WsSettings())
    async with join(hub, "system", stuck=True), join(hub, "system") as healthy:
        began = trio.current_time()
        await hub.shut()
        assert trio.current_time() - began <= 2 * CLOSE_SECONDS
        assert healthy.closed == (1001, "server shutdown")
        assert healthy.messages[-1]["data"]["event"] == "server_shutdown"


async def test_a_hub_that_is_shut_takes_nobody_in() -> None:
    async with open_house() as house:
        await house.hub.shut()
        refusal = await house.knock()
        assert refusal.status_code == 503
        assert refusal.json()["error"]["code"] == "SERVICE_UNAVAILABLE"


async def test_clients_are_told_when_the_bus_cut_the_hub_off() -> None:
    async with open_house() as house, house.listener("files") as client:
        for number in range(1000):
            house.store(file=FileChange("change", f"/x/{number}", 1))
        heard = [await client.hear()]
        while heard[-1]["type"] != "lagged":
            heard.append(await client.hear())
        assert len(heard) < 1000
        house.store(file=FileChange("unlink", "/y", 1))
        while heard[-1].get("data", {}).get("filePath") != "/y":
            heard.append(await client.hear())
        assert sum(message["type"] == "lagged" for message in heard) == 1


async def test_clients_that_stay_through_a_failure_are_told() -> None:
    house = make_house()
    async with join(house.hub, "files") as line, trio.open_nursery() as nursery:
        await nursery.start(WsTransport(house.hub, house.observatory).run)
        await wait_all_tasks_blocked()
        assert [message["type"] for message in line.messages] == ["lagged"]
        nursery.cancel_scope.cancel()


async def test_a_client_that_leaves_is_forgotten() -> None:
    async with open_house() as house:
        for _ in range(5):
            async with house.listener("files"):
                pass
        async with house.listener("files") as rude:
            await rude.ws._stream.aclose()
        with trio.fail_after(LIMIT):
            while house.hub.connected:
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
            while house.hub.connected < 10:
                await trio.lowlevel.checkpoint()
        house.observatory.stopping.set()
