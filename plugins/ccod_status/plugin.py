"""The plugin. It stands apart from the package, which `ccod.quick` imports where milliseconds count."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from ccod import hookimpl

if TYPE_CHECKING:
    import click
    import quart

    from ccod import Commands, Observatory, Settings


@hookimpl
def ccod_commands(cli: Commands, settings: Callable[[], Settings]) -> None:
    def status() -> click.Command:
        from ccod_status.command import status_command

        return status_command(settings)

    cli.add_later("status", status)


@hookimpl(optionalhook=True)
def ccod_http_blueprints(observatory: Observatory) -> Iterable[quart.Blueprint]:
    from ccod_status.routes import status_routes

    return [status_routes(observatory)]
