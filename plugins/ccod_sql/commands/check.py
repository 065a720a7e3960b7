"""`ccod db check`."""

from __future__ import annotations

from collections.abc import Callable

import click

from ccod import CcodError, Settings
from ccod_sql.commands.common import existing, json_option, tell


class DamagedError(CcodError):
    """The database is damaged."""


def check_command(settings: Callable[[], Settings]) -> click.Command:
    @click.command()
    @click.option("--quick", is_flag=True, help="Do not compare indexes with their tables.")
    @json_option
    def check(quick: bool, as_json: bool) -> None:
        """Look for damage. The daemon may run meanwhile. The exit code is 1 if there is some.

        Example: ccod db check --quick
        """
        from contextlib import closing

        from ccod_sql.backup import faults, read_only

        path, driver = existing(settings())
        try:
            with closing(read_only(path, driver)) as connection:
                found = faults(connection, driver, quick=quick)
        except driver.error as error:
            found = [str(error)]
        tell("\n".join(found) or f"{path}: is sound", as_json=as_json, database=str(path), faults=found)
        if found:
            raise DamagedError(f"{path}: is damaged; keep a copy of it, and go on with the latest backup")

    return check
