"""`ccod db backup`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import click

from ccod import CcodError, Settings
from ccod_sql.commands.common import existing, json_option, megabytes, tell

if TYPE_CHECKING:
    from ccod_sql.engine import Driver


class CopyError(CcodError):
    """A copy could not be made, or is not to be."""


def backup_command(settings: Callable[[], Settings]) -> click.Command:
    @click.command()
    @click.argument("to", type=click.Path(path_type=Path), required=False)
    @click.option("--force", is_flag=True, help="Replace the file TO.")
    @json_option
    def backup(to: Path | None, force: bool, as_json: bool) -> None:
        """Copy the database to the file TO, or beside itself, and check the copy. The daemon may run meanwhile.

        The file is there once the copy is whole and sound, and not before.

        Example: ccod db backup /media/disk/ccod.db --force
        """
        from datetime import UTC, datetime

        path, driver = existing(settings())
        target = (to or path.with_name(f"{path.name}.{datetime.now(UTC):%Y%m%dT%H%M%SZ}")).absolute()
        _refuse(path, target, force=force)
        copy(path, target, driver)
        size = target.stat().st_size
        hint = f"To use it: `ccod db restore {target}`"
        tell(f"{target}: {megabytes(size)}, checked. {hint}", as_json=as_json, file=str(target), bytes=size)

    return backup


def copy(path: Path, target: Path, driver: Driver) -> None:
    """Copy a database and check the copy. Raises CopyError where that fails."""
    from ccod_sql.backup import copy_database
    from ccod_sql.causes import cause_of

    try:
        copy_database(path, target, driver)
    except driver.error as error:
        cause = cause_of(target, error)
        fix = f"; {cause.fix}" if cause else ""
        raise CopyError(f"{target}: the copy could not be made: {error}{fix}") from error
    except OSError as error:
        fix = f"; `mkdir -p {quote(str(target.parent))}` makes its folder" if not target.parent.exists() else ""
        raise CopyError(f"{target}: the copy could not be made: {error.strerror or error}{fix}") from error


def _refuse(path: Path, target: Path, *, force: bool) -> None:
    """Raise CopyError for a target that is not to be replaced."""
    from ccod_sql.backup import files_of

    if not target.exists():
        return
    if not target.is_file() or target.samefile(path):
        raise CopyError(f"{target}: is {'the database itself' if target.is_file() else 'no file'}; name a new file")
    if not force:
        raise CopyError(f"{target}: is there already; name a new file, or say --force")
    if any(each.exists() for each in files_of(target)[1:]):
        raise CopyError(f"{target}: is a database in use, or one that was not closed; name a new file")
