"""Checks passwords, so that answers tell nothing by how long they take, and guesses are slow.

bcrypt is meant to be slow, and HTTP Basic shows the password with each request: what was right is remembered, as a
keyed hash, until the file has another for that name. What was wrong costs that name at that address a pause that
doubles up to a minute; it concerns nobody at another address, and nobody who is remembered.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Callable
from typing import TypeVar

import bcrypt
import trio

K = TypeVar("K")
V = TypeVar("V")

LONGEST = 72
"""bcrypt, and so every htpasswd, heeds no more bytes of a password."""
REMEMBERED = 1000
WAITING = 16
FREE, LONGEST_PAUSE = 5, 60.0


class Checker:
    """One password at a time is checked, in a worker thread; when too many wait, the next is refused."""

    def __init__(self, clock: Callable[[], float] = trio.current_time) -> None:
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._right: OrderedDict[bytes, None] = OrderedDict()
        self._pauses: OrderedDict[tuple[str, str], tuple[int, float]] = OrderedDict()
        self._lock = trio.Lock()

    async def matches(self, who: tuple[str, str], password: bytes, kept: bytes | None, stand_in: bytes) -> bool:
        """Tell whether `kept` is of this password, which `who` presents: a name, and where from.

        For None, the hash of nobody, `stand_in` is checked, which takes as long.
        """
        proof = self._proof(password, kept or stand_in)
        if proof in self._right:
            return True
        if self._lock.statistics().tasks_waiting >= WAITING:
            return False
        async with self._lock:
            failures, until = self._pauses.get(who, (0, 0.0))
            if proof in self._right or self._clock() < until:
                return proof in self._right
            found = await trio.to_thread.run_sync(_check, password, kept or stand_in)
            if found and kept is not None:
                self._pauses.pop(who, None)
                _remember(self._right, proof, None)
                return True
            pause = min(LONGEST_PAUSE, 2.0 ** min(failures - FREE, 8)) if failures >= FREE else 0.0
            _remember(self._pauses, who, (failures + 1, self._clock() + pause))
            return False

    def _proof(self, password: bytes, kept: bytes) -> bytes:
        return hmac.digest(self._key, hashlib.sha256(password).digest() + kept, hashlib.sha256)


def _remember(things: OrderedDict[K, V], key: K, value: V) -> None:
    """Keep one more thing, and of too many the latest."""
    things[key] = value
    things.move_to_end(key)
    if len(things) > REMEMBERED:
        things.popitem(last=False)


def _check(password: bytes, kept: bytes) -> bool:
    return bcrypt.checkpw(password[:LONGEST], kept) and b"\0" not in password
