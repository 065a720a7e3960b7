"""What is counted of clients: what they are told, what they miss, and what waits for them."""

from __future__ import annotations

import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from ccod import FileChange, Stored
from ccod_ws.feed import COALESCE_SECONDS, Feed
from ccod_ws.outbox import MAX_FRAMES
from ccod_ws.settings import WsSettings
from tests.plugins.metrics.scraping import read
from tests.plugins.ws.house import House, added, join, make_house


async def test_each_client_that_is_told_counts(autojump_clock: MockClock) -> None:
    house = make_house()
    async with trio.open_nursery() as nursery:
        async with join(house, "conversations"), join(house, "conversations"), join(house, "projects"):
            await nursery.start(Feed(house.hub, house.observatory).run)
            house.store(added(1), added(2))
            await wait_all_tasks_blocked()
            found = read(house.observatory.metrics)
        nursery.cancel_scope.cancel()
    assert found.sum("ccod_ws_messages_total", channel="conversations") == 4
    assert found.sum("ccod_ws_messages_total", channel="projects") == 0
    assert found.sum("ccod_ws_connections", kind="websocket") == 3
    assert found.sum("ccod_ws_connections", kind="sse") == 0
    assert read(house.observatory.metrics).sum("ccod_ws_connections") == 0


async def tell_files(house: House, count: int) -> None:
    for number in range(count):
        house.observatory.bus.publish(Stored(file=FileChange("change", f"/{number}", 1)))
        await wait_all_tasks_blocked()


async def test_what_a_slow_client_gets_later_or_never_counts(autojump_clock: MockClock) -> None:
    house = make_house(WsSettings(ping_interval=0))
    async with trio.open_nursery() as nursery:
        async with join(house, "conversations", "files") as slow:
            await nursery.start(Feed(house.hub, house.observatory).run)
            slow.pause = 10_000
            for number in range(MAX_FRAMES + 20):
                house.store(added(number + 1))
                await wait_all_tasks_blocked()
            waiting = read(house.observatory.metrics)
            await tell_files(house, 3)
            await trio.sleep(2 * COALESCE_SECONDS)
            slow.pause = 0
            await trio.sleep(20_000)
            found = read(house.observatory.metrics)
        nursery.cancel_scope.cancel()
    assert waiting.sum("ccod_ws_queued_frames") == waiting.sum("ccod_ws_queued_frames_max") >= MAX_FRAMES
    assert waiting.sum("ccod_ws_queued_bytes") > 0
    assert waiting.sum("ccod_ws_lagging") == 1
    assert found.sum("ccod_ws_queued_frames") == found.sum("ccod_ws_lagging") == 0
    told, again = found.sum("ccod_ws_messages_total", channel="conversations"), found.sum("ccod_ws_replayed_total")
    assert told + again == MAX_FRAMES + 20
    assert again > 0
    assert found.sum("ccod_ws_dropped_total", reason="left_out") == 1  # the others were not made: nobody hears them
    assert found.sum("ccod_ws_dropped_total", reason="cut_off") == 0


async def test_what_waits_for_a_client_that_is_let_go_is_lost(autojump_clock: MockClock) -> None:
    house = make_house()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(house.hub.watch)
        async with join(house, "conversations", stuck=True) as line:
            await nursery.start(Feed(house.hub, house.observatory).run)
            for number in range(5):
                house.store(added(number + 1))
                await wait_all_tasks_blocked()
            while not line.aborted:
                await trio.sleep(0.5)
        nursery.cancel_scope.cancel()
    found = read(house.observatory.metrics)
    assert found.sum("ccod_ws_dropped_total", reason="cut_off") == 4  # the first was under way
    assert found.sum("ccod_ws_closed_total", code="1013") == 1
