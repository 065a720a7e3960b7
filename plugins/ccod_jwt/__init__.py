"""Says who is asking: today the owner, who is the user that runs the daemon."""

from __future__ import annotations

from ccod import Auth, hookimpl


@hookimpl
def ccod_auth() -> Auth:
    from ccod_jwt.auth import JwtAuth

    return JwtAuth()
