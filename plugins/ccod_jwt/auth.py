"""Who is asking: the owner, by the word of the kernel; a login, by its access token; a program, by its API key."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Literal

import structlog
import trio
from msgspec.structs import replace

from ccod import Auth, Peer, Storage, User
from ccod_jwt.accounts import Accounts
from ccod_jwt.apikeys import PREFIX, ApiKeys
from ccod_jwt.backoff import Backoff
from ccod_jwt.ledger import LOOK_SECONDS as OTHERS_SECONDS
from ccod_jwt.ledger import OWNER_ID, Account, ApiKey, Ledger, Session
from ccod_jwt.logins import Logins
from ccod_jwt.passwords import Hasher
from ccod_jwt.settings import JwtSettings
from ccod_jwt.signing import signing_keys
from ccod_jwt.tokens import Claims, Tokens

LOOK_SECONDS = 60.0
"""How long `ended` trusts a clock that stands still while the machine sleeps."""
SOON_SECONDS = 0.2
"""How long it may take until what another daemon made holds here, where it is presented."""

log = structlog.get_logger("ccod.jwt")


def epoch_ms() -> int:
    return time.time_ns() // 1_000_000


class JwtAuth(Auth):
    """`logins`, `accounts` and `keys` are what its routes use, once it is entered."""

    logins: Logins
    accounts: Accounts
    keys: ApiKeys

    def __init__(
        self,
        settings: JwtSettings,
        storage: Storage,
        clock: Callable[[], int] = epoch_ms,
        backoff: Backoff | None = None,
        *,
        machine: str = "",
    ) -> None:
        """`machine` is that of this daemon, which its owner's is."""
        self._settings = settings
        self._storage = storage
        self._backoff = backoff or Backoff()
        self._machine = machine
        self.ledger = Ledger(storage, clock)

    async def __aenter__(self) -> JwtAuth:
        await self.ledger.open()
        if self._storage.is_shared and not self._settings.secret:
            log.warning("tokens hold at this daemon alone; nodes need one and the same [jwt] secret, collectors none")
        signing = signing_keys(self._settings, self._storage.folder)
        self._tokens = Tokens(signing, self.ledger.instance, self.ledger.now)
        hasher = Hasher(self._settings.bcrypt_rounds)
        self.logins = Logins(self._settings, self.ledger, self._tokens, hasher, self._backoff)
        self.accounts = Accounts(self.ledger, hasher, registration=self._settings.registration)
        self.keys = ApiKeys(self.ledger)
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """There is nothing to close: every change is on the disk."""

    async def identify(self, peer: Peer) -> User | None:
        """See `ccod.Auth`."""
        if peer.token is not None:
            return await self._bearer(peer.token)
        if peer.foreign or peer.uid != os.getuid():
            return None
        return self._user(OWNER_ID, "", "admin" if peer.unix else "owner", [self._machine])

    async def ended(self, user: User) -> None:
        """See `ccod.Auth`."""
        if not user.credential:
            await trio.sleep_forever()
        while self._now(user) == user:
            left = LOOK_SECONDS if user.expires_at is None else (user.expires_at - self.ledger.now()) / 1000
            look = OTHERS_SECONDS if self._storage.is_shared else LOOK_SECONDS
            with trio.move_on_after(min(look, max(0.0, left))):
                await self.ledger.changed.wait()
            await self.ledger.look()

    async def _bearer(self, text: str) -> User | None:
        await self.ledger.look()
        user = await self._known(text)
        if user is None:
            await self.ledger.look(SOON_SECONDS)
            user = await self._known(text)
        return user

    async def _known(self, text: str) -> User | None:
        if text.startswith(PREFIX):
            key = await self.keys.use(text)
            return self._of_key(key) if key else None
        claims = self._tokens.read("access", text)
        return self._of_login(claims) if claims else None

    def _now(self, user: User) -> User | None:
        """Return whom the credential of a user makes of its bearer by now."""
        if user.expires_at is not None and self.ledger.now() >= user.expires_at:
            return None
        key = self.ledger.get(ApiKey, user.credential)
        return self._of_key(key) if key else self._of_session(user.id, user.credential, user.expires_at)

    def _of_login(self, claims: Claims) -> User | None:
        return self._of_session(claims.account_id, claims.session_id, claims.expires_at)

    def _of_session(self, account_id: str, session_id: str, expires_at: int | None) -> User | None:
        session = self.ledger.get(Session, session_id)
        account = self.ledger.get(Account, account_id)
        if session is None or account is None or session.account_id != account.id:
            return None
        user = self._user(account.id, account.email, account.role, account.machines)
        return replace(user, credential=session.id, expires_at=expires_at)

    def _of_key(self, key: ApiKey) -> User | None:
        account = self.ledger.get(Account, key.account_id)
        if account is not None:
            user = self._user(account.id, account.email, account.role, account.machines)
        elif key.account_id == OWNER_ID:
            user = self._user(OWNER_ID, "", "admin", [self._machine])
        else:
            return None
        return replace(user, scopes=frozenset(key.scopes), credential=key.id, expires_at=key.expires_at)

    @property
    def narrows(self) -> bool:
        """Whether who is no administrator sees the conversations of their own machines alone."""
        sight = self._settings.sight
        return sight == "own" or (sight == "auto" and self._storage.is_shared)

    def _user(self, id_: str, email: str, role: Literal["owner", "admin", "user"], machines: Sequence[str]) -> User:
        """Return a user with what they see. Where all of it is one person's, all machines are everybody's own."""
        own = frozenset(machines) if self.narrows or self._storage.is_shared else None
        return User(id_, email, role, machines=own if self.narrows and role != "admin" else None, own=own)
