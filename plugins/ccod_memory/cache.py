"""A bounded memory that forgets first what was not asked for longest."""

from __future__ import annotations

from collections import OrderedDict

from ccod import Cache

SHARE = 8
"""One value takes no more than the eighth part: a few large ones would drive out all others."""


class MemoryCache(Cache):
    """See `ccod.Cache`. Keys count too, as what they take."""

    def __init__(self, size: int) -> None:
        self._room = size
        self._largest = size // SHARE
        self._kept: OrderedDict[str, bytes] = OrderedDict()

    async def __aexit__(self, *_: object) -> None:
        self._kept.clear()

    async def get(self, key: str) -> bytes | None:
        value = self._kept.get(key)
        if value is not None:
            self._kept.move_to_end(key)
        return value

    async def put(self, key: str, value: bytes) -> None:
        cost = _cost(key, value)
        if cost > self._largest or key in self._kept:
            return
        self._kept[key] = value
        self._room -= cost
        while self._room < 0:
            self._room += _cost(*self._kept.popitem(last=False))


def _cost(key: str, value: bytes) -> int:
    return len(key) + len(value) + 200
