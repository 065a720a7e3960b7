"""Accounts keep the contract of an auth."""

from __future__ import annotations

import pytest

from ccod.testing import AuthContract, Auths, Clock, Shelf
from tests.plugins.jwt.office import HERE, PASSWORD, office


class TestJwtAuth(AuthContract):
    @pytest.fixture
    def shelf(self) -> Shelf:
        return Shelf()

    @pytest.fixture
    def auths(self, shelf: Shelf) -> Auths:
        clock = Clock()
        return lambda: office(shelf, clock)

    @pytest.fixture
    async def token(self, shelf: Shelf) -> str:
        async with office(shelf, Clock()) as auth:
            account = await auth.accounts.add("me@example.com", PASSWORD, "user")
            return (await auth.logins.log_in(account.email, PASSWORD, HERE)).access_token
