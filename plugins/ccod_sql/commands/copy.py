"""`ccod db copy`."""

from __future__ import annotations

import sys
from collections.abc import Callable

import click

from ccod import Settings
from ccod_sql.commands.common import existing, json_option, tell


def copy_command(settings: Callable[[], Settings]) -> click.Command:
    @click.command()
    @json_option
    def copy(as_json: bool) -> None:
        """Copy the database into the empty one that [postgres] url names, and compare each row. Stop the daemon first.

        What was broken off goes on where it was when it is called again. Full text is indexed again afterwards.

        Example: ccod db copy --set postgres.url=postgresql://ccod@db.example/ccod
        """
        from contextlib import closing

        from ccod_sql import causes, files, schema
        from ccod_sql.backup import read_only
        from ccod_sql.postgres.settings import PostgresSettings, require_driver

        read = settings()
        path, driver = existing(read)
        require_driver()
        from ccod_sql.postgres.backend import OnPostgres
        from ccod_sql.postgres.copying import CopyingError, copy_into

        backend = OnPostgres(read[PostgresSettings], copying=True)
        shown = _shown if sys.stderr.isatty() else lambda _table, _rows: None
        with files.held(path), causes.opening(path, driver), backend.open() as database:
            if schema.standing(schema.version_at(path, driver), path).pending:
                raise CopyingError(f"{path}: is of an older version; `ccod db migrate` brings it to this one")
            with closing(read_only(path, driver)) as source:
                copied = copy_into(database, source, shown)
        if sys.stderr.isatty():
            click.echo("\r\x1b[K", nl=False, err=True)
        tell(
            f"{path}: {copied.rows:,} rows are copied and compared. To use them: `ccod config set storage postgres`",
            as_json=as_json,
            database=str(path),
            rows=copied.rows,
            checksums=copied.checksums,
        )

    return copy


def _shown(table: str, rows: int) -> None:
    click.echo(f"\r{table}: {rows:,} rows\x1b[K", nl=False, err=True)
