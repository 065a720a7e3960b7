"""The book of accounts, logins and API keys: held in memory, and on the disk before a change takes effect."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Literal, TypeVar

import msgspec
import trio
from msgspec import Struct

from ccod import Right, Storage, UnavailableError

NAMESPACE = "jwt"
INSTANCE = "instance"
OWNER_ID = "owner"
"""Stands for an account where the owner made a key on the Unix socket."""

Role = Literal["user", "admin"]


class Account(Struct, frozen=True, tag="account"):
    """`password` is a hash. Times are epoch milliseconds here as everywhere. `machines` are those that are theirs."""

    id: str
    email: str
    role: Role
    password: str
    created_at: int
    machines: Sequence[str] = ()


class Session(Struct, frozen=True, tag="session"):
    """One login, which its refresh tokens continue; `token` is the id of the one that is good."""

    id: str
    account_id: str
    token: str
    created_at: int
    expires_at: int


class ApiKey(Struct, frozen=True, tag="key"):
    """`digest` is the SHA-256 of the text, in hex. `account_id` may be OWNER_ID."""

    id: str
    account_id: str
    name: str
    digest: str
    scopes: Sequence[Right]
    created_at: int
    last_used_at: int | None = None
    expires_at: int | None = None


Item = Account | Session | ApiKey
T = TypeVar("T", Account, Session, ApiKey)
Owned = TypeVar("Owned", Session, ApiKey)


def new_id(kind: str) -> str:
    """Return an id that cannot be guessed, such as `user_2f0c…`."""
    return f"{kind}_{secrets.token_hex(12)}"


class Ledger:
    """Who changes it holds `lock` from the look to the change. `changed` is set, and replaced, by each change.

    `now` tells the time of all that is written here.
    """

    def __init__(self, storage: Storage, now: Callable[[], int]) -> None:
        self._storage = storage
        self.now = now
        self._items: dict[str, Item] = {}
        self._accounts: dict[str, Account] = {}
        self._keys: dict[str, ApiKey] = {}
        self.instance = ""
        self.lock = trio.Lock()
        self.changed = trio.Event()

    async def open(self) -> None:
        """Read all that was kept; the first time, draw the name of this instance."""
        kept = dict(await self._storage.kept(NAMESPACE))
        if INSTANCE not in kept:
            kept[INSTANCE] = secrets.token_hex(16).encode()
            await self._storage.keep(NAMESPACE, {INSTANCE: kept[INSTANCE]})
        self.instance = kept.pop(INSTANCE).decode()
        try:
            self._apply({key: msgspec.json.decode(value, type=Item) for key, value in kept.items()})
        except msgspec.MsgspecError as error:
            raise UnavailableError(
                f"accounts: cannot be read ({error}); update ccod, or restore the database"
            ) from None

    def get(self, kind: type[T], item_id: str) -> T | None:
        """Return an account, session or key by its id."""
        item = self._items.get(item_id)
        return item if isinstance(item, kind) else None

    def all(self, kind: type[T]) -> list[T]:
        """Return all accounts, sessions or keys, the oldest first."""
        found = [item for item in self._items.values() if isinstance(item, kind)]
        return sorted(found, key=attrgetter("created_at", "id"))

    def of(self, account_id: str, kind: type[Owned]) -> list[Owned]:
        """Return the sessions or keys of an account, the oldest first."""
        return [item for item in self.all(kind) if item.account_id == account_id]

    def account_of(self, email: str) -> Account | None:
        """Return an account by its address, which must be in its one spelling."""
        return self._accounts.get(email)

    def key_of(self, digest: str) -> ApiKey | None:
        return self._keys.get(digest)

    async def change(self, *items: Item, without: Iterable[Item] = ()) -> None:
        """Put items in the place of those with their ids, and take others out, all at once."""
        changes: dict[str, Item | None] = {item.id: None for item in without}
        changes |= {item.id: item for item in items}
        encoded = {key: None if item is None else msgspec.json.encode(item) for key, item in changes.items()}
        await self._storage.keep(NAMESPACE, encoded)
        self._apply(changes)
        self.changed.set()
        self.changed = trio.Event()

    def _apply(self, changes: Mapping[str, Item | None]) -> None:
        for key, item in changes.items():
            before = self._items.get(key)
            if isinstance(before, Account):
                del self._accounts[before.email]
            elif isinstance(before, ApiKey):
                del self._keys[before.digest]
            if item is None:
                self._items.pop(key, None)
                continue
            self._items[key] = item
            if isinstance(item, Account):
                self._accounts[item.email] = item
            elif isinstance(item, ApiKey):
                self._keys[item.digest] = item
