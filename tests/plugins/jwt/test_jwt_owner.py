"""The owner is the daemon's own user, and nobody who shows a token or comes from another page."""

from __future__ import annotations

import os

import pytest

from ccod import Peer, User
from ccod.testing.shelf import Shelf
from ccod_jwt.auth import JwtAuth
from ccod_jwt.settings import JwtSettings
from tests.plugins.http.serving import SECRET

ME = os.getuid()


@pytest.mark.parametrize(
    ("peer", "known"),
    [
        (Peer(uid=ME), True),
        (Peer(), False),
        (Peer(uid=ME + 1), False),
        (Peer(uid=ME, token="t"), False),
        (Peer(uid=ME, token=""), False),
        (Peer(uid=ME, foreign=True), False),
        (Peer(token="t"), False),
    ],
)
async def test_who_is_the_owner(peer: Peer, known: bool) -> None:
    async with JwtAuth(JwtSettings(secret=SECRET), Shelf()) as auth:
        assert await auth.identify(peer) == (User(id="owner", email="", role="owner") if known else None)


async def test_the_owner_is_administrator_on_the_unix_socket() -> None:
    async with JwtAuth(JwtSettings(secret=SECRET), Shelf()) as auth:
        assert await auth.identify(Peer(uid=ME, unix=True)) == User(id="owner", email="", role="admin")
        assert await auth.identify(Peer(uid=ME + 1, unix=True)) is None
