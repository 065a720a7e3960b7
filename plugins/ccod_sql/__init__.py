"""Keeps everything in one SQLite file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from ccod import hookimpl

if TYPE_CHECKING:
    import click
    import msgspec

    from ccod import Commands, Finding, Parser, Prices, Settings, Storage


@hookimpl
def ccod_settings() -> type[msgspec.Struct]:
    from ccod_sql.settings import SqliteSettings

    return SqliteSettings


@hookimpl
def ccod_commands(cli: Commands, settings: Callable[[], Settings]) -> None:
    def db() -> click.Command:
        from ccod_sql.commands import db_command

        return db_command(settings)

    cli.add_later("db", db)


@hookimpl
def ccod_checks(settings: Settings) -> Iterable[Finding]:
    from ccod_sql.checks import findings

    return findings(settings)


@hookimpl
def ccod_storage(settings: Settings, prices: Prices, parsers: Mapping[str, Parser]) -> Storage:
    from ccod_sql.settings import SqliteSettings
    from ccod_sql.storage import SqlStorage

    return SqlStorage(settings[SqliteSettings], settings.core.machine_name, prices, parsers=parsers)
