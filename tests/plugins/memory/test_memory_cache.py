"""The cache in memory keeps the contract, and its bound."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccod.testing.cache import CacheContract, Caches
from ccod_memory.cache import MemoryCache


class TestMemoryCache(CacheContract):
    @pytest.fixture
    def caches(self) -> Caches:
        return lambda: MemoryCache(1_000_000)


async def test_without_room_nothing_is_kept() -> None:
    async with MemoryCache(0) as cache:
        await cache.put("a", b"")
        assert await cache.get("a") is None


@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 3000))))
async def test_the_bound_holds_whatever_is_kept(puts: list[tuple[str, int]]) -> None:
    size = 10_000
    async with MemoryCache(size) as cache:
        for key, length in puts:
            await cache.put(f"{key}{length}", bytes(length))
            kept = [await cache.get(f"{key}{length}") for key, length in dict.fromkeys(puts)]
            assert sum(len(value) for value in kept if value is not None) <= size
