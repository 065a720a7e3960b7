"""/auth: logins and one's own account. What a body must look like is checked before anything is looked up."""

from __future__ import annotations

from msgspec.structs import asdict

from ccod import User
from ccod_http.web import Routes, caller, current_user, require
from ccod_jwt.auth import JwtAuth
from ccod_jwt.forms import (
    AccountJson,
    Credentials,
    LoginJson,
    PasswordForm,
    ProfileJson,
    RefreshForm,
    account_json,
    login_json,
    refusals,
)
from ccod_jwt.ledger import Account


def auth_routes(auth: JwtAuth, *, registration: bool) -> Routes:
    routes = Routes("auth", __name__, url_prefix="/auth")

    @routes.post("/register", access="public", pace="strict", secret=True, status=201, errors=[401, 403, 409, 503])
    async def register(body: Credentials) -> LoginJson:
        """Make an account, and log in to it.

        Open to the owner and to administrators; to all where [jwt] registration is on. The first account that one of
        those makes is an administrator's.
        """
        if not registration:
            require("read")
        with refusals():
            account = await auth.accounts.register(current_user(), body.email, body.password)
            return login_json(await auth.logins.begin(account))

    @routes.post("/login", access="public", pace="strict", secret=True, errors=[401, 429, 503])
    async def log_in(body: Credentials) -> LoginJson:
        """Log in with email address and password."""
        with refusals():
            return login_json(await auth.logins.log_in(body.email, body.password, caller()))

    @routes.post("/refresh", access="public", pace="strict", secret=True, errors=[401])
    async def refresh(body: RefreshForm) -> LoginJson:
        """Exchange a refresh token for new tokens. It is good once: used again, it ends the login."""
        with refusals():
            return login_json(await auth.logins.refresh(body.refresh_token))

    @routes.get("/profile", access="read")
    async def profile() -> ProfileJson:
        """Show who asks, and what they see."""
        user = known_user()
        account = auth.ledger.get(Account, user.id)
        own = (
            account_json(account)
            if account
            else AccountJson(user.id, user.email, user.role, None, sorted(user.own or ()))
        )
        return ProfileJson(**asdict(own), sees="all" if user.machines is None else "own")

    @routes.post("/logout", access="read", errors=[409])
    async def log_out() -> None:
        """End the login whose access token is presented: its tokens are invalid from now on."""
        with refusals():
            await auth.logins.log_out(known_user())

    @routes.post("/password", access="read", pace="strict", errors=[401, 409, 429, 503])
    async def change_password(body: PasswordForm) -> None:
        """Change one's password, which ends all of one's other logins."""
        with refusals():
            await auth.logins.change_password(known_user(), body.old_password, body.new_password, caller())

    return routes


def known_user() -> User:
    """Return who asks, on a route that is no stranger's."""
    user = current_user()
    assert user is not None
    return user
