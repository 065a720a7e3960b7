"""`ccod db`: what can be done with the database file itself."""

from __future__ import annotations

from collections.abc import Callable

import click

from ccod import Settings


def db_command(settings: Callable[[], Settings]) -> click.Command:
    from ccod_sql.commands.backup import backup_command
    from ccod_sql.commands.check import check_command
    from ccod_sql.commands.copy import copy_command
    from ccod_sql.commands.migrate import migrate_command
    from ccod_sql.commands.restore import restore_command
    from ccod_sql.commands.vacuum import vacuum_command

    @click.group()
    def db() -> None:
        """Back up, restore, check, shrink, migrate and copy the database."""

    for make in (backup_command, restore_command, check_command, vacuum_command, migrate_command, copy_command):
        db.add_command(make(settings))
    return db
