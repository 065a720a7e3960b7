"""How often one caller may ask: so many times at once, and then as often as the quota fills up again."""

from __future__ import annotations

import math
from collections import OrderedDict
from typing import Protocol

import trio
from msgspec import Struct

MOST_CALLERS = 10_000


class Verdict(Struct, frozen=True):
    """Whether a request is within its quota, how many more are, and in how many seconds all or the next will be."""

    within: bool
    remaining: int
    full_in: float
    next_in: float


class Counts(Protocol):
    """Counts for several daemons together, as `Quota` does for one."""

    async def take(self, key: str, most: int, window: float) -> tuple[bool, float]:
        """Count one for `key`, of which there may be `most` in a `window` of seconds, unless it is one too many.

        Return whether it was counted, and in how many seconds all will be free again. Raises CacheUnavailableError
        where nobody can be asked, at once or after a short wait.
        """

    def close(self) -> None:
        """Nothing is counted any more."""


class Quota:
    """`most` requests in each `window` of seconds, for each of the 10,000 callers that asked last.

    The generic cell rate algorithm: all that is kept of a caller is when its quota will be full again. The package
    `limits` is not used: its memory starts a thread with each request, and grows without bound.
    """

    def __init__(self, most: int, window: float) -> None:
        self.most = most
        self.window = window
        self._each = window / most
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def take(self, caller: str) -> Verdict:
        """Count a request of `caller`, unless it is one too many."""
        now = trio.current_time()
        used = max(0.0, self._full_at.get(caller, now) - now)
        within = used + self._each <= self.window * (1 + 1e-9)
        if within:
            used += self._each
            self._full_at[caller] = now + used
            self._full_at.move_to_end(caller)
            if len(self._full_at) > MOST_CALLERS:
                self._full_at.popitem(last=False)
        return self.verdict(used, within=within)

    def give_back(self, caller: str) -> None:
        """Take back one request of `caller`, which was refused for another reason."""
        if caller in self._full_at:
            self._full_at[caller] -= self._each

    def verdict(self, used: float, *, within: bool) -> Verdict:
        """Return what to say of a request, after which so many seconds of the window are used."""
        remaining = int((self.window - used) / self._each + 1e-6)
        return Verdict(within, remaining, used, max(0.0, used + self._each - self.window))


def seconds(duration: float) -> int:
    """Return a duration in whole seconds, rounded up, as headers state it."""
    return math.ceil(duration - 1e-6)
