"""The plugin. It stands apart from the package, which `ccod.quick` imports where milliseconds count."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from ccod import hookimpl

if TYPE_CHECKING:
    import click
    import quart

    from ccod import Observatory, Settings


@hookimpl
def ccod_commands(cli: click.Group, settings: Callable[[], Settings]) -> None:
    from ccod_status.command import status_command

    cli.add_command(status_command(settings))


@hookimpl(optionalhook=True)
def ccod_http_blueprints(observatory: Observatory) -> Iterable[quart.Blueprint]:
    from ccod_status.routes import status_routes

    return [status_routes(observatory)]
