"""Accounts and keys as clients see them and send them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from ccod import Right
from ccod_http.web import Body, Problem, iso
from ccod_jwt import emails, tokens
from ccod_jwt.ledger import Account, ApiKey, Role
from ccod_jwt.logins import Login
from ccod_jwt.refusals import Code, RefusedError

STATUSES: dict[Code, int] = {
    "AUTH_FAILED": 401,
    "AUTH_TOKEN_INVALID": 401,
    "ACCESS_DENIED": 403,
    "NOT_FOUND": 404,
    "RESOURCE_ALREADY_EXISTS": 409,
    "LAST_ADMIN": 409,
    "NO_LOGIN": 409,
    "RESOURCE_LIMIT_EXCEEDED": 409,
    "VALIDATION_FAILED": 422,
    "RATE_LIMIT_EXCEEDED": 429,
    "SERVICE_UNAVAILABLE": 503,
}

Email = Annotated[str, Meta(max_length=emails.LONGEST)]
Password = Annotated[str, Meta(max_length=1024)]
Name = Annotated[str, Meta(min_length=1, max_length=100)]
Machine = Annotated[str, Meta(min_length=1, max_length=255)]
Machines = Annotated[list[Machine], Meta(max_length=100)]


class Credentials(Body):
    email: Email
    password: Password


class RefreshForm(Body):
    refresh_token: Annotated[str, Meta(max_length=tokens.LONGEST)]


class PasswordForm(Body):
    old_password: Password
    new_password: Password


class NewUser(Body):
    email: Email
    password: Password
    role: Role = "user"
    machines: Machines = field(default_factory=list)


class ChangedUser(Body):
    """What is left out, or null, stays as it is. `machines` are all that are to be theirs."""

    role: Role | None = None
    password: Password | None = None
    machines: Machines | None = None


class NewKey(Body):
    name: Name
    scopes: Annotated[list[Right], Meta(min_length=1, max_length=4)]
    expires_at: Annotated[datetime, Meta(tz=True)] | None = None


class UserJson(Struct, rename="camel"):
    """An account. The owner, who has none, has the id "owner"; it has neither an address nor a time."""

    id: str
    email: str
    role: str
    created_at: str | None


class AccountJson(UserJson, rename="camel"):
    """An account with the machines that are theirs, whose conversations they see even where they do not see all."""

    machines: list[str]


class ProfileJson(AccountJson, rename="camel"):
    """`sees` says whose conversations are shown: those of `own` machines, or `all`."""

    sees: Literal["own", "all"]


class LoginJson(Struct, rename="camel"):
    """`expiresIn` is how many seconds the access token is valid. A refresh token is good once."""

    user: UserJson
    access_token: str
    refresh_token: str
    expires_in: int


class KeyJson(Struct, rename="camel"):
    """An API key, without its text."""

    id: str
    user_id: str
    name: str
    scopes: list[Right]
    created_at: str
    last_used_at: str | None
    expires_at: str | None


class NewKeyJson(KeyJson, rename="camel", kw_only=True):
    """`key` is the key's text: it is shown once."""

    key: str


@contextmanager
def refusals() -> Iterator[None]:
    """Answer with the problem that a refusal is."""
    try:
        yield
    except RefusedError as refusal:
        raise Problem(STATUSES[refusal.code], refusal.code, refusal.message, wait=refusal.wait) from None


def user_json(account: Account) -> UserJson:
    return UserJson(account.id, account.email, account.role, iso(account.created_at))


def account_json(account: Account) -> AccountJson:
    return AccountJson(account.id, account.email, account.role, iso(account.created_at), [*account.machines])


def login_json(login: Login) -> LoginJson:
    return LoginJson(user_json(login.account), login.access_token, login.refresh_token, login.expires_in)


def key_json(key: ApiKey) -> KeyJson:
    return KeyJson(
        key.id,
        key.account_id,
        key.name,
        list(key.scopes),
        iso(key.created_at),
        _iso(key.last_used_at),
        _iso(key.expires_at),
    )


def epoch_of(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp() * 1000)


def _iso(ms: int | None) -> str | None:
    return None if ms is None else iso(ms)
