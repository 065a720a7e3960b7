"""What every cache must do. Tests inherit `CacheContract` and offer the fixture `caches`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from ccod import Cache

Caches = Callable[[], AbstractAsyncContextManager[Cache]]
"""Opens a cache with room for a hundred values of 1,000 bytes, and for little more than a thousand."""

VALUE = bytes(range(250)) * 4


class CacheContract:
    """The role `Cache`, observed from outside."""

    async def test_what_is_kept_is_had_again(self, caches: Caches) -> None:
        async with caches() as cache:
            assert await cache.get("a") is None
            await cache.put("a", VALUE)
            await cache.put("é\n\0", b"")
            assert await cache.get("a") == VALUE
            assert await cache.get("é\n\0") == b""
            assert await cache.get("b") is None

    async def test_keeping_twice_changes_nothing(self, caches: Caches) -> None:
        async with caches() as cache:
            for _ in range(3000):
                await cache.put("a", VALUE)
            assert await cache.get("a") == VALUE

    async def test_what_was_asked_for_last_is_forgotten_last(self, caches: Caches) -> None:
        async with caches() as cache:
            for number in range(3000):
                await cache.put(str(number), VALUE)
                await cache.get("0")
            assert await cache.get("0") == VALUE
            assert await cache.get("2999") == VALUE
            assert await cache.get("1") is None

    async def test_a_value_that_is_too_large_drives_out_nothing(self, caches: Caches) -> None:
        async with caches() as cache:
            await cache.put("a", VALUE)
            await cache.put("b", bytes(10_000_000))
            assert await cache.get("b") is None
            assert await cache.get("a") == VALUE
