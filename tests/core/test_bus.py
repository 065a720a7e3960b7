"""Every subscriber hears of everything, or learns that it fell behind; nobody waits."""

from __future__ import annotations

import pytest
import trio

from ccod.bus import Bus, Subscription
from ccod.events import Stored


def batch(number: int) -> Stored:
    return Stored(conversations=[str(number)])


async def hear(subscription: Subscription, count: int) -> list[str]:
    heard: list[str] = []
    async for stored in subscription:
        heard += stored.conversations
        if len(heard) == count:
            break
    return heard


async def test_subscribers_hear_everything_in_order() -> None:
    bus = Bus()
    with bus.subscribe() as one, bus.subscribe() as two:
        for number in range(3):
            bus.publish(batch(number))
        assert await hear(one, 3) == await hear(two, 3) == ["0", "1", "2"]


async def test_a_full_subscriber_is_cut_off_and_the_others_go_on() -> None:
    bus = Bus()
    with bus.subscribe(buffer=2) as slow, bus.subscribe(buffer=100) as quick:
        for number in range(5):
            bus.publish(batch(number))
        assert await hear(slow, 99) == ["0", "1"]
        assert slow.lagged
        assert await hear(quick, 5) == ["0", "1", "2", "3", "4"]
        assert not quick.lagged


async def test_leaving_ends_the_subscription() -> None:
    bus = Bus()
    with bus.subscribe() as subscription:
        pass
    bus.publish(batch(1))
    with pytest.raises(trio.ClosedResourceError):
        await hear(subscription, 1)
