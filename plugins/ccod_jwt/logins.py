"""Logins: begun with a password, continued with refresh tokens, ended at will or by theft."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from ccod import User
from ccod_jwt import emails, passwords
from ccod_jwt.backoff import Backoff
from ccod_jwt.ledger import Account, Ledger, Session, new_id
from ccod_jwt.passwords import Hasher
from ccod_jwt.refusals import RefusedError
from ccod_jwt.settings import JwtSettings
from ccod_jwt.tokens import Claims, Tokens

MOST_SESSIONS = 20
"""Logins that an account can have at one time; the next one ends that which was not used for longest."""


class Login(Struct, frozen=True):
    """What a client gets: the account, two tokens, and for how many seconds the first is valid."""

    account: Account
    access_token: str
    refresh_token: str
    expires_in: int


class Logins:
    """Every method raises RefusedError with what a client may know of the reason."""

    def __init__(
        self,
        settings: JwtSettings,
        ledger: Ledger,
        tokens: Tokens,
        hasher: Hasher,
        backoff: Backoff,
    ) -> None:
        self._settings = settings
        self._ledger = ledger
        self._tokens = tokens
        self._hasher = hasher
        self._backoff = backoff

    async def log_in(self, email: str, password: str, address: str) -> Login:
        """Begin a login. An unknown address and a wrong password look the same, and take the same time."""
        account = await self._recognised(emails.normal(email), password, address)
        if self._hasher.is_outdated(account.password):
            account = await self._rehashed(account, password)
        return await self.begin(account)

    async def begin(self, account: Account) -> Login:
        """Begin a login of an account whose password was just seen or set."""
        async with self._ledger.changing():
            account = self._unchanged(account)
            now = self._ledger.now()
            session = Session(new_id("login"), account.id, new_id("refresh"), now, self._end(now))
            await self._ledger.change(session, without=self._surplus(account, now))
        return self._login(account, session)

    async def refresh(self, token: str) -> Login:
        """Continue a login. Its refresh token is good once: one that comes again was stolen, and ends the login.

        Of several uses at the same time one wins, and the others are refused without that consequence.
        """
        await self._ledger.look(0)
        claims = self._tokens.read("refresh", token)
        session = self._ledger.get(Session, claims.session_id) if claims else None
        if claims is None or session is None:
            raise _invalid()
        was_good = session.token == claims.token_id
        async with self._ledger.changing():
            session = self._ledger.get(Session, claims.session_id)
            account = self._ledger.get(Account, claims.account_id)
            if session is None or account is None or session.account_id != account.id:
                raise _invalid()
            if session.token != claims.token_id:
                if not was_good:
                    await self._ledger.change(without=[session])
                raise _invalid()
            session = replace(session, token=new_id("refresh"), expires_at=self._end(self._ledger.now()))
            await self._ledger.change(session)
        return self._login(account, session)

    async def log_out(self, user: User) -> None:
        """End the login by which `user` asks."""
        async with self._ledger.changing():
            session = self._ledger.get(Session, user.credential)
            if session is None:
                raise RefusedError("NO_LOGIN", "There is no login to end: this needs the access token of one.")
            await self._ledger.change(without=[session])

    async def change_password(self, user: User, old: str, new: str, address: str) -> None:
        """Give an account another password, and end its other logins."""
        account = self._ledger.get(Account, user.id)
        if account is None or self._ledger.get(Session, user.credential) is None:
            raise RefusedError("NO_LOGIN", "This needs the access token of a login.")
        passwords.check(new, account.email)
        await self._recognised(account.email, old, address)
        kept = await self._hasher.hash(new)
        async with self._ledger.changing():
            account = self._unchanged(account)
            others = [each for each in self._ledger.of(account.id, Session) if each.id != user.credential]
            await self._ledger.change(replace(account, password=kept), without=others)

    async def _recognised(self, email: str, password: str, address: str) -> Account:
        self._backoff.attempt(email, address)
        await self._ledger.look(0)
        account = self._ledger.account_of(email)
        if not await self._hasher.matches(password, account.password if account else None) or account is None:
            raise _failed()
        self._backoff.succeeded(email, address)
        return account

    async def _rehashed(self, account: Account, password: str) -> Account:
        """Bring a hash to the cost of the others, so that no account can be told by the time it takes."""
        kept = await self._hasher.hash(password)
        async with self._ledger.changing():
            account = replace(self._unchanged(account), password=kept)
            await self._ledger.change(account)
        return account

    def _unchanged(self, account: Account) -> Account:
        """Return an account as it is now. It may have been removed, or got another password, since that was checked."""
        now = self._ledger.get(Account, account.id)
        if now is None or now.password != account.password:
            raise _failed()
        return now

    def _surplus(self, account: Account, now: int) -> list[Session]:
        """Return the logins that make room for one more: all that expired, and the least used of an account."""
        expired = [session for session in self._ledger.all(Session) if session.expires_at <= now]
        live = [session for session in self._ledger.of(account.id, Session) if session.expires_at > now]
        live.sort(key=lambda session: session.expires_at, reverse=True)
        return [*expired, *live[MOST_SESSIONS - 1 :]]

    def _login(self, account: Account, session: Session) -> Login:
        lifetime = int(self._settings.expires_in)
        ends = self._ledger.now() + 1000 * lifetime
        access = Claims(account.id, session.id, new_id("access"), ends)
        refresh = Claims(account.id, session.id, session.token, session.expires_at)
        return Login(account, self._tokens.write("access", access), self._tokens.write("refresh", refresh), lifetime)

    def _end(self, now: int) -> int:
        return now + int(1000 * self._settings.refresh_expires_in)


def _failed() -> RefusedError:
    return RefusedError("AUTH_FAILED", "The email address or the password is wrong.")


def _invalid() -> RefusedError:
    return RefusedError("AUTH_TOKEN_INVALID", "The token is not valid.")
