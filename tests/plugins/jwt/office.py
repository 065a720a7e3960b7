"""The auth plugin over a storage, by default in memory, with a clock that a test moves and cheap passwords."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from ccod import Peer, Storage, User
from ccod.testing.asking import Clock
from ccod.testing.shelf import Shelf
from ccod_jwt.auth import JwtAuth
from ccod_jwt.settings import JwtSettings
from tests.plugins.http.serving import SECRET

PASSWORD = "four plain words together"
OTHER = "another four plain words"
HERE = "127.0.0.1"


@asynccontextmanager
async def office(
    storage: Storage | None = None, clock: Callable[[], int] | None = None, **settings: Any
) -> AsyncIterator[JwtAuth]:
    chosen = msgspec.convert({"secret": SECRET, "bcrypt_rounds": 4} | settings, JwtSettings)
    async with JwtAuth(chosen, storage or Shelf(), clock or Clock(), machine="here") as auth:
        yield auth


async def who(auth: JwtAuth, token: str) -> User | None:
    """Return whom a token makes of a stranger."""
    return await auth.identify(Peer(token=token))


async def known(auth: JwtAuth, token: str) -> User:
    user = await who(auth, token)
    assert user is not None
    return user
