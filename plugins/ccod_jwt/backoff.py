"""How long who guesses passwords must wait, without ever locking out whom the guesses are about.

Each attempt is counted before its password is hashed, and what turns out right is taken back. After some free attempts
each further one costs a pause that doubles up to a limit; an attempt during a pause is refused and not counted.

- The pause of an account at one address grows to a quarter of an hour: that is somebody who guesses.
- The pause of an address, whatever the accounts, stays below a minute: others may share it.
- The pause of an account, whatever the address, stays below five seconds, and does not concern an address from which
  that account logged in before: guesses from a thousand addresses are slow, and the owner notices nothing.

All is in memory, of a bounded size: what was not seen for longest is forgotten first.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable

import trio
from msgspec import Struct

from ccod_jwt.refusals import RefusedError

REMEMBERED = 10_000
FORGET_SECONDS = 3600.0


class _Tally(Struct):
    count: int = 0
    until: float = 0.0


class Pauses:
    """The pauses of one kind of key: `free` attempts without one, then 1 s doubling to `longest`."""

    def __init__(self, free: int, longest: float, clock: Callable[[], float]) -> None:
        self._free = free
        self._longest = longest
        self._clock = clock
        self._tallies: OrderedDict[Hashable, _Tally] = OrderedDict()

    def left(self, key: Hashable) -> float:
        """Return for how many seconds an attempt is refused."""
        tally = self._tallies.get(key)
        return max(0.0, tally.until - self._clock()) if tally else 0.0

    def count(self, key: Hashable) -> None:
        """Count an attempt; it may bring about a pause."""
        now = self._clock()
        tally = self._tallies.get(key)
        if tally is None or now > tally.until + FORGET_SECONDS:
            tally = self._tallies[key] = _Tally()
        self._tallies.move_to_end(key)
        tally.count += 1
        over = tally.count - self._free
        tally.until = now + (min(self._longest, 2.0 ** min(over, 30)) if over >= 0 else 0.0)
        if len(self._tallies) > REMEMBERED:
            self._tallies.popitem(last=False)

    def forgive(self, key: Hashable) -> None:
        """Take back one attempt; a pause goes on, because others brought it about."""
        tally = self._tallies.get(key)
        if tally is not None:
            tally.count -= 1

    def clear(self, key: Hashable) -> None:
        self._tallies.pop(key, None)


class Backoff:
    """Decides whether a password may be tried."""

    def __init__(self, clock: Callable[[], float] = trio.current_time) -> None:
        self._pairs = Pauses(5, 900.0, clock)
        self._addresses = Pauses(20, 60.0, clock)
        self._accounts = Pauses(20, 5.0, clock)
        self._good: OrderedDict[tuple[str, str], None] = OrderedDict()

    def attempt(self, email: str, address: str) -> None:
        """Count an attempt on an account from an address, or raise RefusedError where it must wait."""
        pair = (email, address)
        kinds = [(self._pairs, pair), (self._addresses, address)]
        if pair not in self._good:
            kinds.append((self._accounts, email))
        wait = max(pauses.left(key) for pauses, key in kinds)
        if wait > 0:
            raise RefusedError("RATE_LIMIT_EXCEEDED", "Too many attempts; wait before the next.", wait)
        for pauses, key in kinds:
            pauses.count(key)

    def succeeded(self, email: str, address: str) -> None:
        """Take back what was counted of an attempt that was right."""
        pair = (email, address)
        self._pairs.clear(pair)
        self._addresses.forgive(address)
        if pair not in self._good:
            self._accounts.forgive(email)
        self._good[pair] = None
        self._good.move_to_end(pair)
        if len(self._good) > REMEMBERED:
            self._good.popitem(last=False)
