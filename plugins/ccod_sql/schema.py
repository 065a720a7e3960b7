"""Brings a database's tables to what this version needs."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from sqlalchemy import Connection, Engine, inspect, text

from ccod import ConfigError, UnavailableError
from ccod_sql.backup import copy_database, read_only
from ccod_sql.causes import cause_of
from ccod_sql.engine import SQLITE, Driver
from ccod_sql.sqlite import unchecked

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0007"
"""The newest migration. Alembic is imported only for a database that is not there yet, or is older."""


class Standing(Struct, frozen=True):
    """The version of a database's tables, None where it has none yet, and the migrations that it lacks, in order."""

    version: str | None
    pending: Sequence[str]


def upgrade(writer: Engine, path: Path, driver: Driver = SQLITE) -> Path | None:
    """Run the migrations that are missing, all or none. Return the backup that is made first of an older database."""
    with writer.begin() as connection:
        version = version_of(connection)
    if not standing(version, path).pending:
        return None
    backup = None if version is None else path.with_name(f"{path.name}.before-{HEAD}")
    if backup is not None:
        _back_up(path, backup, driver)
    # A migration changes a table by putting a new one in its place, to which then leads what led to the old one.
    with unchecked(writer), writer.begin() as connection:
        migrate(connection)
    return backup


def migrate(connection: Connection) -> None:
    """Run the migrations that are missing, in the transaction that is under way."""
    from alembic import command

    command.upgrade(_config(connection), "head")


def stamp(connection: Connection) -> None:
    """Mark a database, whose tables are as the newest migration has them, as having had all."""
    from alembic import command

    command.stamp(_config(connection), "head")


def version_at(path: Path, driver: Driver = SQLITE) -> str | None:
    """Return the version of the tables of the database at `path`, which is only read. Raises the driver's error."""
    with closing(read_only(path, driver)) as connection:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone():
            return None
        found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(found[0]) if found else None


def standing(version: str | None, path: Path) -> Standing:
    """Return what a database of this version lacks. Raises ConfigError for one of a newer ccod."""
    try:
        return Standing(version, missing(version))
    except LookupError:
        raise ConfigError(
            f"[sqlite] path: {path}: written by a newer ccod (schema {version!r}, this one knows {HEAD!r}); "
            "update ccod, or name another file with --database"
        ) from None


def missing(version: str | None) -> Sequence[str]:
    """Return the migrations that tables of this version lack, in order. Raises LookupError for an unknown one."""
    if version == HEAD:
        return ()
    from alembic.script import ScriptDirectory

    known = [script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()][::-1]
    if version is not None and version not in known:
        raise LookupError(version)
    return known if version is None else known[known.index(version) + 1 :]


def _config(connection: Connection | None = None) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "ccod_sql:migrations")
    config.attributes["connection"] = connection
    return config


def version_of(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    version: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return version


def _back_up(path: Path, to: Path, driver: Driver) -> None:
    """Copy the database. It is checked quickly: what a check in full takes, a start should not wait for."""
    try:
        copy_database(path, to, driver, quick=True)
    except (OSError, driver.error) as error:
        cause = None if isinstance(error, OSError) else cause_of(to, error)
        fix = cause.fix if cause else "make room for it"
        raise UnavailableError(
            f"{to}: the backup before the change to schema {HEAD!r} cannot be written ({error}); {fix}"
        ) from error
