"""Several daemons count requests together; where Redis is away each counts by itself, and nobody is let in freely."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AsyncExitStack
from itertools import count, cycle
from pathlib import Path

import pytest
import trio

from ccod import CacheUnavailableError
from ccod.testing.waiting import eventually
from tests.e2e.daemon import Daemon, open_daemon, run_ccod
from tests.e2e.home import Home
from tests.redisserver import RedisServer, reason_to_skip, running

if reason := reason_to_skip():
    pytest.skip(reason, allow_module_level=True)

import redis

from ccod_redis.counts import RedisCounts
from ccod_redis.settings import RedisSettings

MOST = 6
HOUR = 3600.0
prefixes = count(1)


@pytest.fixture
def two(server: RedisServer) -> Iterator[tuple[RedisCounts, RedisCounts]]:
    """Those of two daemons."""
    settings = RedisSettings(url=server.url, prefix=f"counts{next(prefixes)}", connections=2)
    both = RedisCounts(settings), RedisCounts(settings)
    yield both
    for each in both:
        each.close()


async def test_as_many_are_within_as_may_be_however_many_ask_at_once(two: tuple[RedisCounts, RedisCounts]) -> None:
    within: list[bool] = []

    async def take(counts: RedisCounts) -> None:
        within.append((await counts.take("who", MOST, HOUR))[0])

    async with trio.open_nursery() as nursery:
        for counts, _ in zip(cycle(two), range(5 * MOST), strict=False):
            nursery.start_soon(take, counts)
    assert within.count(True) == MOST
    assert (await two[0].take("another", MOST, HOUR))[0]


async def test_a_quota_fills_up_again_and_then_is_nowhere(
    two: tuple[RedisCounts, RedisCounts], server: RedisServer
) -> None:
    one, other = two
    within, used = await one.take("filled", 2, 0.4)
    assert (within, round(used, 3)) == (True, 0.2)
    within, used = await other.take("filled", 2, 0.4)
    assert within
    assert 0.2 < used <= 0.4
    with redis.Redis.from_url(server.url) as client:
        (key,) = client.scan_iter("*:limit:filled")
        assert 0 < int(str(client.pttl(key))) <= 401
        client.set(key, 10**18)  # as if the clock had been set back
    within, used = await one.take("filled", 2, 0.4)
    assert (within, used) == (False, 0.4)


async def test_an_unreachable_server_is_said_to_be_one() -> None:
    counts = RedisCounts(RedisSettings(url="redis://127.0.0.1:1/0"))
    with pytest.raises(CacheUnavailableError) as away:
        await counts.take("who", MOST, HOUR)
    assert away.value.code == "LIMITS_AWAY"


async def test_two_daemons_let_in_as_many_as_one_and_no_more_without_redis(tmp_path: Path) -> None:
    with running() as server:
        limits = {"max": MOST, "window": HOUR, "shared": "redis"}
        tables = {"redis": {"url": server.url, "timeout": 0.5}, "http": {"port": 0, "limits": limits}}
        async with AsyncExitStack() as stack:
            nodes = [await stack.enter_async_context(open_daemon(tmp_path / name, tables)) for name in ("one", "two")]
            asked = [await status(nodes[number % 2]) for number in range(MOST + 2)]
            assert asked == [200] * MOST + [429] * 2
            server.kill()
            # What was refused for the others' sake was not counted here: half of the quota is used on each.
            asked = [await status(nodes[0]) for _ in range(MOST // 2 + 1)]
            assert asked == [200] * (MOST // 2) + [429]
            assert await reasons(nodes[0]) == ["LIMITS_AWAY"]
            server.start()
            with trio.fail_after(20):  # it is left alone for a while
                while not [*redis.Redis.from_url(server.url).scan_iter("ccod:limit:*")]:
                    await status(nodes[1])
                    await trio.sleep(2.6)
            for node in nodes:
                await node.terminate()
                assert not [said for said in node.stderr if "Traceback" in said]


async def test_a_plugin_that_cannot_is_not_chosen(tmp_path: Path) -> None:
    home = Home(tmp_path, {"http": {"limits": {"shared": "rest"}}})
    code, said = await run_ccod(home, "serve", "--config", str(home.config))
    assert code == 78
    assert '[http.limits] shared: no plugin "rest" counts for several daemons; these do: "redis"' in said


async def status(daemon: Daemon) -> int:
    return await daemon.status("/api/projects")


async def reasons(daemon: Daemon) -> list[str]:
    async def told() -> list[str]:
        return [each["code"] for each in (await daemon.get("/health"))["data"]["details"]["reasons"]]

    return await eventually(told, "reason", 20)
