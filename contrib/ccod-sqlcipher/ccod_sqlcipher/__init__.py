"""Keeps everything in one encrypted file: the storage of the plugin `sqlite`, on SQLCipher."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from ccod import Parser, Prices, Settings, Storage, hookimpl
from ccod_sqlcipher.settings import SqlcipherSettings

if TYPE_CHECKING:
    import click


@hookimpl
def ccod_settings() -> type[SqlcipherSettings]:
    return SqlcipherSettings


@hookimpl
def ccod_commands(cli: click.Group, settings: Callable[[], Settings]) -> None:
    from ccod_sqlcipher.commands import encrypt_command

    cli.add_command(encrypt_command(settings))


@hookimpl
def ccod_storage(settings: Settings, prices: Prices, parsers: Mapping[str, Parser]) -> Storage:
    from ccod_sql.settings import SqliteSettings
    from ccod_sql.storage import SqlStorage
    from ccod_sqlcipher.driver import making_driver_of

    machine = settings.core.machine_name
    driver = making_driver_of(settings)
    return SqlStorage(settings[SqliteSettings], machine, prices, parsers=parsers, driver=driver)
