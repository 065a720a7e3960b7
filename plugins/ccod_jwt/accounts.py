"""Accounts: made, given a role, removed."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from ccod import User, may
from ccod_jwt import emails, passwords
from ccod_jwt.ledger import Account, ApiKey, Item, Ledger, Role, Session, new_id
from ccod_jwt.passwords import Hasher
from ccod_jwt.refusals import RefusedError

MOST_ACCOUNTS = 10_000


class Accounts:
    """Every method raises RefusedError with what a client may know of the reason."""

    def __init__(self, ledger: Ledger, hasher: Hasher, *, registration: bool) -> None:
        self._ledger = ledger
        self._hasher = hasher
        self._registration = registration

    async def register(self, by: User | None, email: str, password: str) -> Account:
        """Make an account. The first one that the owner or an administrator makes is an administrator's."""
        trusted = may(by, "admin") or (by is not None and by.role == "owner")
        if not trusted and not self._registration:
            raise RefusedError("ACCESS_DENIED", "Only the owner and administrators may register accounts here.")
        return await self._add(email, password, None if trusted else "user")

    async def add(self, email: str, password: str, role: Role, machines: Sequence[str] = ()) -> Account:
        return await self._add(email, password, role, machines)

    async def change(
        self, account_id: str, role: Role | None, password: str | None, machines: Sequence[str] | None = None
    ) -> Account:
        """Give an account another role, password or machines; a new password ends its logins."""
        account = self._found(account_id)
        kept = account.password
        if password is not None:
            passwords.check(password, account.email)
            kept = await self._hasher.hash(password)
        async with self._ledger.changing():
            account = self._found(account_id)
            if role == "user":
                self._keep_an_admin(account)
            owned = account.machines if machines is None else _sorted(machines)
            changed = replace(account, role=role or account.role, machines=owned)
            if password is None:
                await self._ledger.change(changed)
            else:
                changed = replace(changed, password=kept)
                await self._ledger.change(changed, without=self._ledger.of(account.id, Session))
        return changed

    async def remove(self, account_id: str) -> None:
        """Remove an account with its logins and keys."""
        async with self._ledger.changing():
            account = self._found(account_id)
            self._keep_an_admin(account)
            gone: list[Item] = [account, *self._ledger.of(account.id, Session), *self._ledger.of(account.id, ApiKey)]
            await self._ledger.change(without=gone)

    async def _add(self, email: str, password: str, role: Role | None, machines: Sequence[str] = ()) -> Account:
        """Make an account; without a role it is the first administrator's, or a user's."""
        address = emails.checked(email)
        passwords.check(password, address)
        self._check_room(address)
        kept = await self._hasher.hash(password)
        async with self._ledger.changing():
            self._check_room(address)
            chosen = role or ("user" if self._admins() else "admin")
            account = Account(new_id("user"), address, chosen, kept, self._ledger.now(), _sorted(machines))
            await self._ledger.change(account)
        return account

    def _check_room(self, email: str) -> None:
        if self._ledger.account_of(email) is not None:
            raise RefusedError("RESOURCE_ALREADY_EXISTS", "There is an account of that email address already.")
        if len(self._ledger.all(Account)) >= MOST_ACCOUNTS:
            raise RefusedError("RESOURCE_LIMIT_EXCEEDED", f"There are {MOST_ACCOUNTS} accounts already.")

    def _found(self, account_id: str) -> Account:
        account = self._ledger.get(Account, account_id)
        if account is None:
            raise RefusedError("NOT_FOUND", "There is no such account.")
        return account

    def _admins(self) -> list[Account]:
        return [account for account in self._ledger.all(Account) if account.role == "admin"]

    def _keep_an_admin(self, account: Account) -> None:
        if self._admins() == [account]:
            raise RefusedError("LAST_ADMIN", "That is the last administrator; make another one first.")


def _sorted(machines: Sequence[str]) -> list[str]:
    return sorted(set(machines))
