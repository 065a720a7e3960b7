"""A server that is away, hangs or refuses costs a short wait now and then; once it is well, all goes on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import trio

from ccod import Cache, CacheUnavailableError, ConfigError
from ccod.testing.cache import VALUE
from tests.redisserver import RedisServer, reason_to_skip, running

if reason := reason_to_skip():
    pytest.skip(reason, allow_module_level=True)

from ccod_redis.cache import RedisCache
from ccod_redis.settings import RedisSettings

PASSWORD = "hunter2"


@pytest.fixture
def own() -> Iterator[RedisServer]:
    """A server that only one test uses, for it does not survive that."""
    with running() as server:
        yield server


async def comes_back(cache: Cache) -> None:
    """Wait until something is kept again."""
    with trio.fail_after(20):
        while True:
            try:
                await cache.put("back", VALUE)
                assert await cache.get("back") == VALUE
            except CacheUnavailableError:
                await trio.sleep(0.01)
            else:
                return


async def test_it_is_killed_and_started_fifty_times_while_many_ask(own: RedisServer) -> None:
    """Nobody ever gets another value than that of its key."""
    asked = refused = 0

    async def ask(who: int) -> None:
        nonlocal asked, refused
        number = 0
        while True:
            number = (number + 1) % 50
            try:
                found = await cache.get(f"{who} {number}")
                assert found in {None, f"{who} {number}".encode() * 500}
                await cache.put(f"{who} {number}", f"{who} {number}".encode() * 500)
                asked += 1
            except CacheUnavailableError:
                refused += 1
                await trio.sleep(0.001)

    async with RedisCache(RedisSettings(url=own.url), pause=0.01) as cache, trio.open_nursery() as nursery:
        for who in range(5):
            nursery.start_soon(ask, who)
        for _ in range(50):
            before = asked
            with trio.fail_after(20):
                while asked < before + 20:
                    await trio.sleep(0.001)
            await trio.to_thread.run_sync(own.kill)
            before = refused
            with trio.fail_after(20):
                while refused < before + 5:
                    await trio.sleep(0.001)
            own.start()
        await comes_back(cache)
        nursery.cancel_scope.cancel()


async def test_one_that_hangs_is_waited_for_once(own: RedisServer) -> None:
    settings = RedisSettings(url=own.url, timeout=0.2, connections=2)
    async with RedisCache(settings, pause=1000) as cache:
        await cache.put("a", VALUE)
        own.hang()
        began = trio.current_time()
        refused = 0

        async def ask() -> None:
            nonlocal refused
            with pytest.raises(CacheUnavailableError, match=r"Redis at 127\.0\.0\.1:"):
                await cache.get("a")
            refused += 1

        async with trio.open_nursery() as nursery:
            for _ in range(50):
                nursery.start_soon(ask)
        for _ in range(50):
            await ask()
        assert refused == 100
        assert trio.current_time() - began < 50 * settings.timeout  # a hundred waits of two at a time
        own.wake()


async def test_one_that_hung_answers_again_with_the_right_values(own: RedisServer) -> None:
    """An answer that comes late is nobody's."""
    async with RedisCache(RedisSettings(url=own.url, timeout=0.1, connections=2), pause=0.01) as cache:
        for name in "abcd":
            await cache.put(name, name.encode() * 100)
        own.hang()
        for name in "abcd":
            with pytest.raises(CacheUnavailableError):
                await cache.get(name)
            await trio.sleep(0.02)
        own.wake()
        await comes_back(cache)
        for name in "dcba" * 20:
            assert await cache.get(name) == name.encode() * 100


async def test_one_that_is_not_there_at_the_start_is_used_once_it_is(own: RedisServer) -> None:
    own.kill()
    async with RedisCache(RedisSettings(url=own.url), pause=0.01) as cache:
        with pytest.raises(CacheUnavailableError, match=f"Redis at 127.0.0.1:{own.port}: .*; start it"):
            await cache.get("a")
        own.start()
        await comes_back(cache)


async def test_a_cancelled_request_does_not_wait_for_it(own: RedisServer) -> None:
    async with RedisCache(RedisSettings(url=own.url, timeout=5)) as cache:
        own.hang()
        began = trio.current_time()
        with trio.move_on_after(0.05) as scope:
            await cache.get("a")
        assert scope.cancelled_caught
        assert trio.current_time() - began < 4
        own.wake()
        assert await cache.get("a") is None


@pytest.mark.parametrize(
    ("options", "fix"),
    [
        (["--maxmemory", "1"], "more memory"),
        (["--requirepass", PASSWORD], "set user and password"),
        (["--rename-command", "EVALSHA", "", "--rename-command", "EVAL", ""], "look into the log"),
        (["--replicaof", "127.0.0.1", "9"], "the primary"),
    ],
)
async def test_one_that_refuses_is_told_of_with_what_mends_it(options: list[str], fix: str) -> None:
    with running(*options) as server:
        async with RedisCache(RedisSettings(url=server.url)) as cache:
            with pytest.raises(CacheUnavailableError) as caught:
                await cache.put("a", VALUE)
    assert fix in caught.value.fix


async def test_a_password_lets_in_and_is_told_nobody() -> None:
    with running("--requirepass", PASSWORD) as server:
        url = server.url.replace("//", f"//:{PASSWORD}@")
        async with RedisCache(RedisSettings(url=url), pause=0) as cache:
            await cache.put("a", VALUE)
            assert await cache.get("a") == VALUE
            server.kill()
            with pytest.raises(CacheUnavailableError) as caught:
                await cache.get("a")
        assert PASSWORD not in str(caught.value)


@pytest.mark.parametrize("url", ["", "localhost:6379", f"http://:{PASSWORD}@localhost", "redis://localhost:port/0"])
def test_what_is_no_url_is_refused_in_one_line(url: str) -> None:
    with pytest.raises(ConfigError, match=r"redis\.url: no URL of Redis") as caught:
        RedisCache(RedisSettings(url=url))
    assert PASSWORD not in str(caught.value)
