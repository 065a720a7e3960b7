"""`ccod db migrate`."""

from __future__ import annotations

from collections.abc import Callable

import click

from ccod import Settings
from ccod_sql.commands.common import existing, json_option, tell


def migrate_command(settings: Callable[[], Settings]) -> click.Command:
    @click.command()
    @click.option("--dry-run", is_flag=True, help="Only tell what there is to do; the daemon may run meanwhile.")
    @json_option
    def migrate(dry_run: bool, as_json: bool) -> None:
        """Bring the tables of the database to this version, as `ccod serve` does when it starts.

        A backup is made beside the database first. All is done or nothing, also where it is killed midway.

        Example: ccod db migrate
        """
        from ccod_sql import causes, schema
        from ccod_sql.settings import SqliteSettings
        from ccod_sql.sqlite import open_database

        read = settings()
        path, driver = existing(read)
        with causes.opening(path, driver):
            found = schema.standing(schema.version_at(path, driver), path)
            backup = None
            if found.pending and not dry_run:
                with open_database(read[SqliteSettings], driver) as database:
                    backup = schema.upgrade(database.writer, path, driver)
        if not found.pending:
            text = f"{path}: is of this version (schema {schema.HEAD}), there is nothing to do"
        elif dry_run:
            text = f"{path}: schema {found.version}, to do: {', '.join(found.pending)}"
        else:
            text = f"{path}: schema {schema.HEAD} now, {found.version} before; a copy of that is {backup}"
        tell(
            text,
            as_json=as_json,
            database=str(path),
            schema=found.version if dry_run else schema.HEAD,
            pending=list(found.pending) if dry_run else [],
            applied=[] if dry_run else list(found.pending),
            backup=backup and str(backup),
        )

    return migrate
