"""What every auth must do. Tests inherit `AuthContract` and offer the fixture `auths`, and `token` where it has any."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from ccod import RIGHTS, Auth, Peer, User, may

Auths = Callable[[], AbstractAsyncContextManager[Auth]]
"""Opens the auth; one that is opened again knows whom it knew before."""

NOBODY_SIGNED = "eyJhbGciOiJub25lIn0.e30."
JUNK = ["x", "\0", "é", "a.b.c", "....", "Bearer x", "x" * 100_000, "../../etc/passwd", NOBODY_SIGNED]
HERE = [Peer(), Peer(uid=0), Peer(uid=4_294_967_294), Peer(unix=True), Peer(foreign=True)]


class AuthContract:
    """The role `Auth`, observed from outside."""

    @pytest.fixture
    def token(self) -> str | None:
        """What a person may present, where the auth knows such a thing."""
        return None

    @pytest.mark.parametrize("junk", JUNK, ids=range(len(JUNK)))
    async def test_a_token_that_is_not_valid_makes_a_stranger(self, auths: Auths, junk: str) -> None:
        async with auths() as auth:
            for peer in (Peer(token=junk), Peer(token=junk, unix=True), Peer(token=junk, uid=0)):
                assert await auth.identify(peer) is None

    async def test_whoever_asks_has_no_more_than_the_rights_of_a_role(self, auths: Auths) -> None:
        async with auths() as auth:
            for peer in HERE:
                user = await auth.identify(peer)
                assert user is None or user.role in RIGHTS
                assert user is None or user.id

    async def test_another_site_s_page_without_a_token_changes_nothing(self, auths: Auths) -> None:
        async with auths() as auth:
            for peer in (Peer(foreign=True), Peer(foreign=True, uid=0)):
                user = await auth.identify(peer)
                assert not any(may(user, access) for access in ("write", "reveal", "admin"))

    async def test_the_same_caller_is_the_same_user(self, auths: Auths, token: str | None) -> None:
        async with auths() as auth:
            for peer in (*HERE, Peer(token=token)):
                assert await auth.identify(peer) == await auth.identify(peer)

    async def test_who_presented_nothing_never_ends(self, auths: Auths) -> None:
        async with auths() as auth:
            for peer in HERE:
                user = await auth.identify(peer)
                if user is not None:
                    assert not await _ends(auth, user)

    async def test_what_is_valid_is_so_after_a_restart(self, auths: Auths, token: str | None) -> None:
        if token is None:
            pytest.skip("this auth knows no tokens, or its test offers none")
        async with auths() as auth:
            user = await auth.identify(Peer(token=token))
            assert user is not None
            assert not await _ends(auth, user)
        async with auths() as auth:
            assert await auth.identify(Peer(token=token)) == user

    async def test_half_a_token_is_none(self, auths: Auths, token: str | None) -> None:
        if token is None:
            pytest.skip("this auth knows no tokens, or its test offers none")
        async with auths() as auth:
            for part in (token[: len(token) // 2], token[:-1], token[1:], token + "x"):
                assert await auth.identify(Peer(token=part)) is None


async def _ends(auth: Auth, user: User) -> bool:
    """Tell whether `ended` returns though nothing happened."""
    returned = False

    async def wait() -> None:
        nonlocal returned
        await auth.ended(user)
        returned = True

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait)
        await wait_all_tasks_blocked(0.01)
        nursery.cancel_scope.cancel()
    return returned
