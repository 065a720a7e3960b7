"""API keys: for programs, with no more rights than they need."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection

import structlog
from msgspec.structs import replace

from ccod import RIGHTS, Right, StorageUnavailableError, User
from ccod_jwt.ledger import OWNER_ID, Account, ApiKey, Ledger, new_id
from ccod_jwt.refusals import RefusedError

PREFIX = "ccod_"
MOST_KEYS = 100
NOTED_EVERY = 3_600_000
"""Milliseconds between two notes on the disk of when a key was used: between them it is known in memory."""

log = structlog.get_logger("ccod.jwt")


class ApiKeys:
    """Every method but `use` raises RefusedError with what a client may know of the reason."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._used: dict[str, int] = {}

    async def make(
        self, user: User, name: str, scopes: Collection[Right], expires_at: int | None
    ) -> tuple[ApiKey, str]:
        """Make a key and return it with its text, which is not known afterwards."""
        if user.scopes is not None:
            raise RefusedError(
                "ACCESS_DENIED", "A key cannot make another one: this needs the access token of a login."
            )
        if not set(scopes) <= RIGHTS[user.role]:
            raise RefusedError("ACCESS_DENIED", "A key cannot have a right that you do not have.")
        if not name.isprintable() or not name.strip():
            raise RefusedError(
                "VALIDATION_FAILED", "The name of a key must show: letters, digits, signs, spaces between."
            )
        if expires_at is not None and expires_at <= self._ledger.now():
            raise RefusedError("VALIDATION_FAILED", "The time at which the key is to expire has passed.")
        text = PREFIX + secrets.token_urlsafe(32)
        key = ApiKey(
            new_id("key"), user.id, name, _digest(text), sorted(set(scopes)), self._ledger.now(), None, expires_at
        )
        async with self._ledger.changing():
            if user.id != OWNER_ID and self._ledger.get(Account, user.id) is None:
                raise RefusedError("ACCESS_DENIED", "Your account was removed.")
            if len(self.of(user)) >= MOST_KEYS:
                raise RefusedError("RESOURCE_LIMIT_EXCEEDED", f"You have {MOST_KEYS} keys; revoke one first.")
            await self._ledger.change(key)
        return key, text

    def of(self, user: User) -> list[ApiKey]:
        """Return the keys of a user."""
        return [key for key in self.all() if key.account_id == user.id]

    def all(self) -> list[ApiKey]:
        """Return every key, with the time of its last use."""
        return [replace(key, last_used_at=self._used.get(key.id, key.last_used_at)) for key in self._ledger.all(ApiKey)]

    async def revoke(self, user: User, key_id: str, *, any_owner: bool) -> None:
        """Let a key be no longer valid: one's own, or anybody's."""
        async with self._ledger.changing():
            key = self._ledger.get(ApiKey, key_id)
            if key is None or not (any_owner or key.account_id == user.id):
                raise RefusedError("NOT_FOUND", "There is no such key.")
            await self._ledger.change(without=[key])

    async def use(self, text: str) -> ApiKey | None:
        """Return the key of this text, and note that it was used; None where there is none that is valid."""
        key = self._ledger.key_of(_digest(text))
        now = self._ledger.now()
        if key is None or (key.expires_at is not None and now >= key.expires_at):
            return None
        self._used[key.id] = now
        if key.last_used_at is None or now - key.last_used_at >= NOTED_EVERY:
            await self._note(key.id, now)
        return key

    async def _note(self, key_id: str, now: int) -> None:
        async with self._ledger.changing():
            key = self._ledger.get(ApiKey, key_id)
            if key is not None:
                try:
                    await self._ledger.change(replace(key, last_used_at=now))
                except StorageUnavailableError as error:
                    log.warning("the use of a key is not noted", key=key_id, reason=str(error))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
