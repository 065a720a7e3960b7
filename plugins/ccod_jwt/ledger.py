"""The book of accounts, logins and API keys: held in memory, and on the disk before a change takes effect.

Where several daemons share the storage, what another changed is taken over: before a change of one's own, and when
nobody looked for a while.
"""

from __future__ import annotations

import hashlib
import math
import secrets
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from operator import attrgetter
from typing import Literal, TypeVar

import msgspec
import trio
from msgspec import Struct

from ccod import Right, Storage, StorageUnavailableError, UnavailableError

NAMESPACE = "jwt"
INSTANCE = "instance"
OWNER_ID = "owner"
"""Stands for an account where the owner made a key on the Unix socket."""

LOOK_SECONDS = 2.0
"""How long it may take until what another daemon changed holds here."""

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
    """Who changes it is `changing` it from the look to the change. `changed` is set, and replaced, by each change.

    `now` tells the time of all that is written here.
    """

    def __init__(self, storage: Storage, now: Callable[[], int]) -> None:
        self._storage = storage
        self.now = now
        self._kept: dict[str, bytes] = {}
        self._looked_at = -math.inf
        self._items: dict[str, Item] = {}
        self._accounts: dict[str, Account] = {}
        self._keys: dict[str, ApiKey] = {}
        self.instance = ""
        self.lock = trio.Lock()
        self.changed = trio.Event()

    async def open(self) -> None:
        """Read all that was kept; the first time, draw the name of this instance."""
        if INSTANCE not in await self._storage.kept(NAMESPACE):
            await self._storage.keep(NAMESPACE, {INSTANCE: (await self._drawn()).encode()})
        try:
            await self._read()
        except msgspec.MsgspecError as error:
            raise UnavailableError(
                f"accounts: cannot be read ({error}); update ccod, or restore the database"
            ) from None
        self.instance = self._kept[INSTANCE].decode()

    async def _drawn(self) -> str:
        """Return a name for this instance. Daemons that share a new storage may begin at once, and draw the same."""
        if not self._storage.is_shared:
            return secrets.token_hex(16)
        return hashlib.sha256((await self._storage.position()).epoch.encode()).hexdigest()[:32]

    @asynccontextmanager
    async def changing(self) -> AsyncIterator[None]:
        """Let nobody else here change anything meanwhile, and know what others have changed."""
        async with self.lock:
            if self._storage.is_shared:
                await self._read()
            yield

    async def look(self, within: float = LOOK_SECONDS) -> None:
        """Take over what other daemons changed, unless it was looked `within` so many seconds."""
        if not self._storage.is_shared or trio.current_time() < self._looked_at + within:
            return
        async with self.lock:
            if trio.current_time() >= self._looked_at + within:  # nobody looked while this one waited
                try:
                    await self._read()
                except StorageUnavailableError:  # `/health` tells; until then holds what is known
                    self._looked_at = trio.current_time()

    async def _read(self) -> None:
        began = trio.current_time()
        kept = dict(await self._storage.kept(NAMESPACE))
        other = {key: value for key, value in kept.items() if key != INSTANCE and self._kept.get(key) != value}
        changes: dict[str, Item | None] = dict.fromkeys(self._kept.keys() - kept.keys())
        changes |= {key: msgspec.json.decode(value, type=Item) for key, value in other.items()}
        self._kept, self._looked_at = kept, began
        self._take(changes)

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
        self._kept = {key: value for key, value in (self._kept | encoded).items() if value is not None}
        self._take(changes)

    def _take(self, changes: Mapping[str, Item | None]) -> None:
        if changes:
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
