"""The work that can wait, a small step at a time, each kind in its turn."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from ccod import Health, Stored

Step = Callable[[Health], Stored | None]
"""Does some work in a transaction of its own and returns what it changed, or None if there was none."""


class Upkeep:
    """Calls the first step that finds work; it comes last next time."""

    def __init__(self, steps: Iterable[Step]) -> None:
        self._steps = deque(steps)

    def __call__(self, health: Health) -> Stored | None:
        for _ in range(len(self._steps)):
            self._steps.rotate(-1)
            stored = self._steps[-1](health)
            if stored is not None:
                return stored
        return None
