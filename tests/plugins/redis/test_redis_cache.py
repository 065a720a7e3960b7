"""The cache on Redis keeps the contract and its bound, of all that share a prefix."""

from __future__ import annotations

from itertools import count

import pytest

from ccod.testing.cache import VALUE, CacheContract, Caches
from tests.redisserver import RedisServer, reason_to_skip

if reason := reason_to_skip():
    pytest.skip(reason, allow_module_level=True)

import redis

from ccod_redis.cache import RedisCache
from ccod_redis.scripts import PER_VALUE
from ccod_redis.settings import RedisSettings

SIZE = 1_200_000
prefixes = count(1)


@pytest.fixture
def settings(server: RedisServer) -> RedisSettings:
    return RedisSettings(url=server.url, prefix=f"test{next(prefixes)}", size=SIZE)


@pytest.fixture
def client(server: RedisServer) -> redis.Redis:
    return redis.Redis.from_url(server.url)


class TestRedisCache(CacheContract):
    @pytest.fixture
    def caches(self, settings: RedisSettings) -> Caches:
        return lambda: RedisCache(settings)


async def test_without_room_nothing_is_kept(server: RedisServer) -> None:
    async with RedisCache(RedisSettings(url=server.url, prefix="none", size=0)) as cache:
        await cache.put("a", b"")
        assert await cache.get("a") is None


async def test_two_with_one_prefix_share_answers_and_bound(settings: RedisSettings, client: redis.Redis) -> None:
    async with RedisCache(settings) as one, RedisCache(settings) as other:
        await one.put("first", VALUE)
        assert await other.get("first") == VALUE
        for number in range(1000):
            await (one, other)[number % 2].put(str(number), VALUE)
        assert await one.get("first") is None
    kept = [*client.scan_iter(f"{settings.prefix}:answer:*", count=1000)]
    assert len(kept) == client.zcard(f"{settings.prefix}:index") == SIZE // (len(VALUE) + PER_VALUE)
    assert client.get(f"{settings.prefix}:total") == str(len(kept) * (len(VALUE) + PER_VALUE)).encode()


async def test_another_prefix_has_other_answers(server: RedisServer) -> None:
    async with (
        RedisCache(RedisSettings(url=server.url, prefix="ours")) as ours,
        RedisCache(RedisSettings(url=server.url, prefix="theirs")) as theirs,
    ):
        await ours.put("a", b"ours")
        assert await theirs.get("a") is None


async def test_what_nobody_asks_for_runs_out(settings: RedisSettings, client: redis.Redis) -> None:
    async with RedisCache(settings) as cache:
        await cache.put("a", b"1")
        names = [f"{settings.prefix}:{rest}" for rest in ("answer:a", "index", "total")]
        for name in names:
            client.pexpire(name, 1000)
        assert await cache.get("a") == b"1"
        assert all(500_000 < int(str(client.pttl(name))) <= 600_000 for name in names)


@pytest.mark.parametrize("dropped", ["index", "total"])
async def test_a_server_short_of_memory_may_drop_anything(
    settings: RedisSettings, client: redis.Redis, dropped: str
) -> None:
    async with RedisCache(settings) as cache:
        await cache.put("a", VALUE)
        client.delete(f"{settings.prefix}:{dropped}")
        assert await cache.get("a") == VALUE
        for number in range(1000):
            await cache.put(str(number), VALUE)
        most = SIZE // (len(VALUE) + PER_VALUE)
        assert client.zcard(f"{settings.prefix}:index") == most
        client.delete(f"{settings.prefix}:answer:999")
        await cache.put("999", VALUE)
        assert client.zcard(f"{settings.prefix}:index") == most
        assert client.get(f"{settings.prefix}:total") == str(most * (len(VALUE) + PER_VALUE)).encode()
