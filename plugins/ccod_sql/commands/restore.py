"""`ccod db restore`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ccod import CcodError, ConfigError, Settings
from ccod_sql.commands.backup import copy
from ccod_sql.commands.common import AbsentError, configured, json_option, tell

if TYPE_CHECKING:
    from ccod_sql.engine import Driver


class NoBackupError(CcodError):
    """What is to be restored is no backup."""


def restore_command(settings: Callable[[], Settings]) -> click.Command:
    @click.command()
    @click.argument("file", type=click.Path(path_type=Path))
    @json_option
    def restore(file: Path, as_json: bool) -> None:
        """Put a checked copy of the backup FILE in the place of the database. Stop the daemon first.

        What was there is kept beside it. To give back transcripts instead, see `ccod restore`.

        Example: ccod db restore ~/.local/share/ccod/ccod.db.20260101T120000Z
        """
        from ccod_sql import causes, files, schema
        from ccod_sql.sqlite import MARK

        path, driver = configured(settings())
        source = file.absolute()
        if not source.is_file():
            raise AbsentError(f"{source}: there is no such file; name a backup")
        _require_backup(source, driver)
        files.prepare(path, MARK)
        if path.exists() and source.samefile(path):
            raise NoBackupError(f"{source}: is the database itself; name a backup")
        with files.held(path), causes.opening(source, driver):
            schema.standing(schema.version_at(source, driver), source)
            fresh = path.with_name(f"{path.name}.restored")
            copy(source, fresh, driver)
            aside = _set_aside(path)
            fresh.replace(path)
        kept = f"; what was there before is {aside}" if aside else ""
        tell(
            f"{path}: restored from {source}{kept}",
            as_json=as_json,
            database=str(path),
            file=str(source),
            before=aside and str(aside),
        )

    return restore


def _require_backup(file: Path, driver: Driver) -> None:
    """Raise NoBackupError for a file that is no database of ccod."""
    from ccod_sql import files
    from ccod_sql.sqlite import MARK

    try:
        files.prepare(file, MARK)
        driver.require_own(file)
    except ConfigError as error:
        setting, _, problem = str(error).partition(": ")
        if setting != "[sqlite] path":
            raise
        raise NoBackupError(problem.replace(files.ELSEWHERE, "name a backup")) from error


def _set_aside(path: Path) -> Path | None:
    """Rename a database with its journal, which may hold what the file does not; return its new name."""
    from datetime import UTC, datetime

    from ccod_sql.backup import files_of

    if path.stat().st_size == 0 and not any(file.exists() for file in files_of(path)[1:]):
        return None
    aside = path.with_name(f"{path.name}.replaced-{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
    for file, to in zip(files_of(path), files_of(aside), strict=True):
        if file.exists():
            file.replace(to)
    return aside
