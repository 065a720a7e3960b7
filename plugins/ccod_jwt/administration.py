"""/api/users and /api/keys."""

from __future__ import annotations

import structlog
from msgspec.structs import asdict

from ccod import may
from ccod_http.web import Paged, Paging, Routes
from ccod_jwt.auth import JwtAuth
from ccod_jwt.forms import (
    AccountJson,
    ChangedUser,
    KeyJson,
    NewKey,
    NewKeyJson,
    NewUser,
    account_json,
    epoch_of,
    key_json,
    refusals,
)
from ccod_jwt.ledger import Account
from ccod_jwt.routes import known_user

log = structlog.get_logger("ccod.jwt")


def user_routes(auth: JwtAuth) -> Routes:
    routes = Routes("users", __name__, url_prefix="/api/users")

    @routes.get("", access="admin")
    async def users(query: Paging) -> Paged[list[AccountJson]]:
        """List the accounts, the oldest first."""
        accounts = auth.ledger.all(Account)
        page = accounts[query.offset : query.offset + query.limit]
        return query.paged([account_json(account) for account in page], len(accounts))

    @routes.post("", access="admin", status=201, errors=[409, 503])
    async def add_user(body: NewUser) -> AccountJson:
        """Make an account."""
        with refusals():
            return account_json(await auth.accounts.add(body.email, body.password, body.role, body.machines))

    @routes.put("/<user_id>", access="admin", errors=[404, 409, 503])
    async def change_user(user_id: str, body: ChangedUser) -> AccountJson:
        """Give an account another role, password or machines; a new password ends all of its logins.

        The last administrator stays one.
        """
        with refusals():
            changed = await auth.accounts.change(user_id, body.role, body.password, body.machines)
        if body.machines is not None:
            log.info("machines given", user=changed.id, machines=changed.machines, by=known_user().id)
        return account_json(changed)

    @routes.delete("/<user_id>", access="admin", errors=[404, 409])
    async def remove_user(user_id: str) -> None:
        """Remove an account with its logins and keys; never the last administrator."""
        with refusals():
            await auth.accounts.remove(user_id)

    return routes


def key_routes(auth: JwtAuth) -> Routes:
    routes = Routes("keys", __name__, url_prefix="/api/keys")

    @routes.get("", access="read")
    async def keys(query: Paging) -> Paged[list[KeyJson]]:
        """List one's API keys; an administrator sees everybody's."""
        user = known_user()
        found = auth.keys.all() if may(user, "admin") else auth.keys.of(user)
        page = found[query.offset : query.offset + query.limit]
        return query.paged([key_json(key) for key in page], len(found))

    @routes.post("", access="write", secret=True, status=201, errors=[403, 409])
    async def add_key(body: NewKey) -> NewKeyJson:
        """Make an API key with rights that one has. Its text is shown now and never again."""
        with refusals():
            key, text = await auth.keys.make(known_user(), body.name, body.scopes, epoch_of(body.expires_at))
        return NewKeyJson(**asdict(key_json(key)), key=text)

    @routes.delete("/<key_id>", access="write", errors=[404])
    async def revoke_key(key_id: str) -> None:
        """Revoke an API key at once: one's own, or for an administrator anybody's."""
        user = known_user()
        with refusals():
            await auth.keys.revoke(user, key_id, any_owner=may(user, "admin"))

    return routes
