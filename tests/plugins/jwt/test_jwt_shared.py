"""Several daemons share accounts: what one changes holds at the others, at once or a moment later."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import MockClock

from ccod import StorageUnavailableError
from ccod.testing.shelf import Shelf
from ccod_jwt.auth import JwtAuth
from ccod_jwt.ledger import LOOK_SECONDS, Account
from ccod_jwt.refusals import RefusedError
from tests.plugins.jwt.office import HERE, PASSWORD, known, office, who

EMAIL = "me@example.com"


class SharedShelf(Shelf):
    is_shared = True

    async def kept(self, namespace: str) -> dict[str, bytes]:
        if self.failure is not None:
            raise self.failure
        return dict(await super().kept(namespace))


@asynccontextmanager
async def two() -> AsyncIterator[tuple[JwtAuth, JwtAuth]]:
    shelf = SharedShelf()
    async with office(shelf) as one, office(shelf) as other:
        yield one, other


async def test_who_registers_and_logs_in_at_one_is_known_at_the_other(autojump_clock: MockClock) -> None:
    async with two() as (one, other):
        await one.accounts.add(EMAIL, PASSWORD, "user")
        login = await other.logins.log_in(EMAIL, PASSWORD, HERE)
        await trio.sleep(1)
        assert (await known(one, login.access_token)).email == EMAIL
        again = await one.logins.refresh(login.refresh_token)
        with pytest.raises(RefusedError):
            await other.logins.refresh(login.refresh_token)  # which was used: the login ends
        await trio.sleep(LOOK_SECONDS)
        assert await who(one, again.access_token) is None


async def test_what_ends_at_one_ends_at_the_other_a_moment_later(autojump_clock: MockClock) -> None:
    async with two() as (one, other):
        account = await one.accounts.add(EMAIL, PASSWORD, "user")
        login = await one.logins.log_in(EMAIL, PASSWORD, HERE)
        await trio.sleep(1)
        user = await known(other, login.access_token)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(other.ended, user)
            await trio.sleep(1)
            await one.accounts.remove(account.id)
            began = trio.current_time()
        assert trio.current_time() - began <= 2 * LOOK_SECONDS
        assert await who(other, login.access_token) is None


async def test_an_address_has_one_account_and_the_last_admin_stays(autojump_clock: MockClock) -> None:
    async with two() as (one, other):
        first = await one.accounts.add(EMAIL, PASSWORD, "admin")
        with pytest.raises(RefusedError, match="already"):
            await other.accounts.add(EMAIL, PASSWORD, "user")
        with pytest.raises(RefusedError, match="last administrator"):
            await other.accounts.remove(first.id)
        assert len(one.ledger.all(Account)) == 1


async def test_a_new_instance_has_one_name(autojump_clock: MockClock) -> None:
    shelf = SharedShelf()
    names: set[str] = set()

    async def begin() -> None:
        async with office(shelf) as auth:
            names.add(auth.ledger.instance)

    async with trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(begin)
    assert len(names) == 1


async def test_while_the_storage_is_away_holds_what_was_known(autojump_clock: MockClock) -> None:
    shelf = SharedShelf()
    async with office(shelf) as auth:
        await auth.accounts.add(EMAIL, PASSWORD, "user")
        login = await auth.logins.log_in(EMAIL, PASSWORD, HERE)
        await trio.sleep(LOOK_SECONDS)
        shelf.failure = StorageUnavailableError("away")
        assert (await known(auth, login.access_token)).email == EMAIL
