"""`ccod db`: what can be done with the database file itself."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import click

from ccod import CcodError, ConfigError, Settings, UnavailableError


class DamagedError(CcodError):
    """The database is damaged."""


def db_command(settings: Callable[[], Settings]) -> click.Command:
    @click.group()
    def db() -> None:
        """Back up and check the database. The daemon may run meanwhile."""

    @db.command()
    @click.argument("to", type=click.Path(path_type=Path), required=False)
    def backup(to: Path | None) -> None:
        """Copy the database to the file TO, or beside itself, and check the copy.

        Example: ccod db backup /media/disk/ccod.db
        """
        from datetime import UTC, datetime

        from ccod_sql.backup import copy_database

        path = _existing(settings())
        target = (to or path.with_name(f"{path.name}.{datetime.now(UTC):%Y%m%dT%H%M%SZ}")).absolute()
        if target.exists():
            raise ConfigError(f"{target}: is there already; name a new file")
        try:
            copy_database(path, target, checked=True)
        except (OSError, sqlite3.Error) as error:
            raise UnavailableError(f"{target}: the copy could not be made: {error}") from error
        click.echo(
            f"{target}: {target.stat().st_size / 1e6:.1f} MB, checked. To use it: `ccod serve --database {target}`"
        )

    @db.command()
    @click.option("--quick", is_flag=True, help="Do not compare indexes with their tables.")
    def check(quick: bool) -> None:
        """Look for damage. The exit code is 1 if there is some.

        Example: ccod db check --quick
        """
        from contextlib import closing

        from ccod_sql.backup import faults, read_only

        path = _existing(settings())
        try:
            with closing(read_only(path)) as connection:
                found = faults(connection, quick=quick)
        except sqlite3.Error as error:
            found = [str(error)]
        for fault in found:
            click.echo(fault)
        if found:
            raise DamagedError(f"{path}: is damaged; keep a copy of it, and go on with the latest backup")
        click.echo(f"{path}: is sound")

    return db


def _existing(settings: Settings) -> Path:
    """Return the database's path. Raises ConfigError where none of ccod is."""
    from ccod import expanded
    from ccod_sql import files
    from ccod_sql.settings import SqliteSettings
    from ccod_sql.sqlite import MARK

    path = expanded(settings[SqliteSettings].path).resolve()
    if not path.exists():
        raise ConfigError(f"{path}: no database is there yet; `ccod serve` makes it")
    files.prepare(path, MARK)
    return path
