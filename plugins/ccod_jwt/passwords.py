"""Passwords: which are taken, and how they are kept.

Kept is bcrypt of the base64 of an HMAC-SHA-256, so that bcrypt neither cuts a password at 72 bytes nor stops at a NUL,
and no leaked hash of another program fits. A password is composed first (NFC, as RFC 8265 has it for its OpaqueString):
the same password typed on two systems is the same, and letters that only look alike stay different.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import unicodedata
from collections.abc import Callable
from typing import TypeVar

import bcrypt
import trio

from ccod_jwt.common import is_common
from ccod_jwt.refusals import RefusedError

SHORTEST, LONGEST = 8, 1024
WAITING = 16
_PURPOSE = b"ccod password 1"

T = TypeVar("T")
R = TypeVar("R")


def check(password: str, email: str) -> None:
    """Raise RefusedError for a password that is too short, too long, or among the first to be guessed."""
    size = len(unicodedata.normalize("NFC", password))
    if not SHORTEST <= size <= LONGEST:
        raise RefusedError("VALIDATION_FAILED", f"A password has {SHORTEST} to {LONGEST} characters, not {size}.")
    if password.casefold().strip() in {email, email.partition("@")[0]}:
        raise RefusedError("VALIDATION_FAILED", "The password is the email address; choose another.")
    if is_common(password):
        raise RefusedError("VALIDATION_FAILED", "That password is among the first that are guessed; choose another.")


class Hasher:
    """Hashes in a worker thread, one password at a time; when too many wait, the next is refused."""

    def __init__(self, rounds: int) -> None:
        self._rounds = rounds
        self._nobody = bcrypt.gensalt(rounds) + b"." * 31  # looks like a hash, of a password that nobody knows
        self._limiter = trio.CapacityLimiter(1)

    async def hash(self, password: str) -> str:
        """Return what is kept of a password."""
        return (await self._work(_hash, password, self._rounds)).decode()

    async def matches(self, password: str, kept: str | None) -> bool:
        """Tell whether `kept` is of this password. For None, the account of nobody, that takes as long."""
        found = await self._work(_matches, password, self._nobody if kept is None else kept.encode())
        return found and kept is not None

    def is_outdated(self, kept: str) -> bool:
        """Tell whether a hash has another cost than new ones, and so takes another time."""
        return int(kept.split("$")[2]) != self._rounds

    async def _work(self, work: Callable[[bytes, T], R], password: str, value: T) -> R:
        if self._limiter.statistics().tasks_waiting >= WAITING:
            raise RefusedError("SERVICE_UNAVAILABLE", "Too many passwords wait to be checked; try again.", wait=5)
        return await trio.to_thread.run_sync(work, _digest(password), value, limiter=self._limiter)


def _hash(digest: bytes, rounds: int) -> bytes:
    return bcrypt.hashpw(digest, bcrypt.gensalt(rounds))


def _matches(digest: bytes, kept: bytes) -> bool:
    return bcrypt.checkpw(digest, kept)


def _digest(password: str) -> bytes:
    """Return 44 characters of base64, whatever the password's length."""
    text = unicodedata.normalize("NFC", password).encode(errors="surrogatepass")
    return base64.b64encode(hmac.digest(_PURPOSE, text, hashlib.sha256))
