"""WebSocket: whatever is stored, told at once to all who listen at `/ws`; and `ccod tail`, which listens."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from ccod import hookimpl

if TYPE_CHECKING:
    import click
    import msgspec
    import quart

    from ccod import Commands, Finding, Hooks, Observatory, Settings, Transport


@hookimpl
def ccod_add_hooks(manager: Hooks) -> None:
    from ccod_ws import hookspecs

    manager.add_hookspecs(hookspecs)


@hookimpl
def ccod_settings() -> type[msgspec.Struct]:
    from ccod_ws.settings import WsSettings

    return WsSettings


@hookimpl
def ccod_commands(cli: Commands, settings: Callable[[], Settings]) -> None:
    def tail() -> click.Command:
        from ccod_ws.command import tail_command

        return tail_command(settings)

    cli.add_later("tail", tail)


@hookimpl
def ccod_checks(settings: Settings) -> Iterable[Finding]:
    from ccod_ws.checks import findings

    return findings(settings)


@hookimpl
def ccod_transports(settings: Settings, observatory: Observatory) -> Iterable[Transport]:
    from ccod_ws.hub import hub_of
    from ccod_ws.transport import WsTransport

    return [WsTransport(hub_of(settings, observatory), observatory)]


@hookimpl(optionalhook=True)
def ccod_http_blueprints(settings: Settings, observatory: Observatory) -> Iterable[quart.Blueprint]:
    from ccod_ws.hub import hub_of
    from ccod_ws.routes import blueprint
    from ccod_ws.settings import WsSettings

    return [blueprint(hub_of(settings, observatory), settings[WsSettings])]
