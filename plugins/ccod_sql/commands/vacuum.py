"""`ccod db vacuum`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ccod import BusyError, Settings
from ccod_sql.commands.common import existing, json_option, megabytes, size_of, tell

if TYPE_CHECKING:
    from ccod_sql.engine import Driver


def vacuum_command(settings: Callable[[], Settings]) -> click.Command:
    @click.command()
    @json_option
    def vacuum(as_json: bool) -> None:
        """Give back to the file system what the database does not use, such as what was forgotten.

        While the daemon runs, it does that in small steps between what it stores, and can be stopped at any time.
        Without a daemon the database is written anew, which gives back most, and needs as much room again meanwhile.

        Example: ccod db vacuum
        """
        read = settings()
        path, driver = existing(read)
        before = size_of(path)
        try:
            online, left = False, _without_daemon(path, driver)
        except BusyError:
            online, left = True, _beside_daemon(read)
        after = size_of(path)
        tell(
            f"{path}: {megabytes(after)}, {megabytes(before)} before{_rest(left)}",
            as_json=as_json,
            database=str(path),
            before=before,
            after=after,
            unused=left,
            online=online,
        )

    return vacuum


def _without_daemon(path: Path, driver: Driver) -> int:
    """Write the database anew. Raises BusyError where a daemon has it."""
    from ccod_sql import causes, files
    from ccod_sql.vacuuming import vacuum_all

    with files.held(path), causes.opening(path, driver):
        vacuum_all(path, driver)
    return 0


def _beside_daemon(settings: Settings) -> int:
    """Let the daemon work until nothing is left to do, and return how much is unused all the same."""
    from ccod_http.client import send

    first = None
    while True:
        done = send(settings, "POST", "/api/storage/vacuum")
        first = max(first or 0, done["unused"])
        if sys.stderr.isatty():
            click.echo(f"\r{megabytes(done['unused'])} of {megabytes(first)} to give back \x1b[K", nl=False, err=True)
        if not done["more"]:
            break
    if sys.stderr.isatty():
        click.echo("\r\x1b[K", nl=False, err=True)
    return int(done["unused"])


def _rest(left: int) -> str:
    if not left:
        return ""
    return f"; {megabytes(left)} are unused, which only `ccod db vacuum` without the daemon gives back"
