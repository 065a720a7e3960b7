"""The work that can wait, a small step at a time, each kind in its turn."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from ccod import Health, Stored

Step = Callable[[Health], Stored | None]
"""Does some work in a transaction of its own and returns what it changed, or None if there was none."""


class Upkeep:
    """Calls the first step that finds work; it comes last next time. One that fails is called again first.

    So a call that goes well after one that failed tells that the same work can be done now.
    """

    def __init__(self, steps: Iterable[Step]) -> None:
        self._steps = deque(steps)

    def __call__(self, health: Health) -> Stored | None:
        for _ in range(len(self._steps)):
            stored = self._steps[0](health)
            self._steps.rotate(-1)
            if stored is not None:
                return stored
        return None
