"""What the commands of `ccod db` share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ccod import CcodError, ConfigError, Settings

if TYPE_CHECKING:
    from ccod_sql.engine import Driver

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


class AbsentError(CcodError):
    """A file that a command is to work on is not there."""


def existing(settings: Settings) -> tuple[Path, Driver]:
    """Return the database's path, and what opens it.

    Raises AbsentError where there is none yet, ConfigError where what is there is none of ccod.
    """
    from ccod_sql import files
    from ccod_sql.sqlite import MARK

    path, driver = configured(settings)
    if not path.exists():
        raise AbsentError(f"{path}: no database is there yet; `ccod serve` makes it")
    files.prepare(path, MARK)
    driver.require_own(path)
    return path, driver


def configured(settings: Settings) -> tuple[Path, Driver]:
    """Return the path at which the database is, or is to be, and what opens it."""
    from ccod import expanded
    from ccod_sql.engine import driver_of
    from ccod_sql.settings import SqliteSettings

    driver = driver_of(settings)
    if driver is None:
        raise ConfigError(f"storage: {settings.core.storage!r} keeps no SQLite file, which `ccod db` is for")
    return expanded(settings[SqliteSettings].path).resolve(), driver


def tell(text: str, *, as_json: bool, **members: Any) -> None:
    """Print what came of a command: `text` for a person, or the members of a JSON object."""
    click.echo(json.dumps({"schemaVersion": 1, **members}) if as_json else text)


def size_of(path: Path) -> int:
    """Return the bytes of a database, those of its journal among them."""
    from ccod_sql.sqlite import journal_size

    return path.stat().st_size + journal_size(path)


def megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
