"""Says who is asking: the owner, accounts with passwords, and programs with API keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from ccod import hookimpl
from ccod_jwt.settings import JwtSettings

if TYPE_CHECKING:
    import click
    import quart

    from ccod import Auth, Commands, Observatory, SecretRule, Settings, Storage


@hookimpl
def ccod_settings() -> type[JwtSettings]:
    return JwtSettings


@hookimpl
def ccod_commands(cli: Commands, settings: Callable[[], Settings]) -> None:
    def user() -> click.Command:
        from ccod_jwt.commands.user import user_commands

        return user_commands(settings)

    def token() -> click.Command:
        from ccod_jwt.commands.token import token_commands

        return token_commands(settings)

    cli.add_later("user", user)
    cli.add_later("token", token)


@hookimpl
def ccod_redaction_rules() -> Iterable[SecretRule]:
    from ccod import SecretRule

    return [SecretRule("ccod-key", r"(?<![\w-])ccod_[\w-]{43}(?![\w-])", starts=["ccod_"])]


@hookimpl
def ccod_auth(settings: Settings, storage: Storage) -> Auth:
    from ccod_jwt.auth import JwtAuth

    return JwtAuth(settings[JwtSettings], storage, machine=settings.core.machine_name)


@hookimpl(optionalhook=True)
def ccod_http_blueprints(settings: Settings, observatory: Observatory) -> Iterable[quart.Blueprint]:
    from ccod_jwt.administration import key_routes, user_routes
    from ccod_jwt.auth import JwtAuth
    from ccod_jwt.routes import auth_routes

    auth = observatory.auth
    if not isinstance(auth, JwtAuth):
        return []  # another plugin says who is asking
    registration = settings[JwtSettings].registration
    return [auth_routes(auth, registration=registration), user_routes(auth), key_routes(auth)]
