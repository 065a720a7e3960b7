"""Says who is asking: the owner, and whoever knows a password of a htpasswd file."""

from __future__ import annotations

from ccod import Auth, Settings, hookimpl
from ccod_basic_auth.settings import BasicSettings


@hookimpl
def ccod_settings() -> type[BasicSettings]:
    return BasicSettings


@hookimpl
def ccod_auth(settings: Settings) -> Auth:
    from ccod_basic_auth.auth import BasicAuth

    return BasicAuth(settings[BasicSettings])
