"""How many connections there are at one time, in all and of each address."""

from __future__ import annotations

import resource
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager


class Crowd:
    """Counts who is connected, and tells who is one too many."""

    def __init__(self, most: int, most_of_one: int) -> None:
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        self._most = most if files == resource.RLIM_INFINITY else min(most, max(1, files // 2))
        self._most_of_one = most_of_one
        self._of: Counter[str] = Counter()

    @contextmanager
    def join(self, address: str) -> Iterator[bool]:
        """Count a connection of `address` while it lasts; offer whether there is room for it."""
        has_room = self._of.total() < self._most and self._of[address] < self._most_of_one
        if not has_room:
            yield False
            return
        self._of[address] += 1
        try:
            yield True
        finally:
            self._of[address] -= 1
            if not self._of[address]:
                del self._of[address]
