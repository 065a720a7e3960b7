"""Makes many changes of one thing into few."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from math import inf
from typing import Generic, TypeVar

import trio

K = TypeVar("K")
V = TypeVar("V")


class Coalescer(Generic[K, V]):
    """Passes a key on at once when it is quiet, and then at most once per `interval` seconds.

    Of the values added meanwhile `merge(old, new)` makes one; by default the last wins.
    """

    def __init__(self, interval: float, merge: Callable[[V, V], V] = lambda _, new: new) -> None:
        self._interval = interval
        self._merge = merge
        self._due: dict[K, V] = {}
        self._held: dict[K, V] = {}
        self._resting: dict[K, float] = {}  # until when; in the order of time, for all rest equally long
        self._added = trio.Event()

    def add(self, key: K, value: V) -> None:
        waiting = self._held if key in self._resting else self._due
        waiting[key] = self._merge(waiting[key], value) if key in waiting else value
        self._added.set()

    async def take(self, limit: int) -> list[V]:
        """Wait until something is due; return at most `limit` values, the longest waiting first."""
        while True:
            self._wake()
            if self._due:
                break
            self._added = trio.Event()
            with trio.move_on_at(next(iter(self._resting.values()), inf)):
                await self._added.wait()
        until = trio.current_time() + self._interval
        keys = list(islice(self._due, limit))
        self._resting.update(dict.fromkeys(keys, until))
        return [self._due.pop(key) for key in keys]

    def _wake(self) -> None:
        now = trio.current_time()
        while self._resting:
            key, until = next(iter(self._resting.items()))
            if until > now:
                return
            del self._resting[key]
            if key in self._held:
                self._due[key] = self._held.pop(key)
