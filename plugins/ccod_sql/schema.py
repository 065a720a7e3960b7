"""Brings a database's tables to what this version needs."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from ccod import ConfigError, UnavailableError
from ccod_sql.backup import copy_database
from ccod_sql.sqlite import unchecked

HEAD = "0005"
"""The newest migration. Alembic is imported only for a database that is not there yet, or is older."""


def upgrade(writer: Engine, path: Path) -> None:
    """Run the migrations that are missing, all or none. Of a database that is older a backup is made first."""
    with writer.begin() as connection:
        version = _version(connection)
    if version == HEAD:
        return
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", "ccod_sql:migrations")
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if version is not None and version not in known:
        raise ConfigError(
            f"[sqlite] path: {path}: written by a newer ccod (schema {version!r}, this one knows {HEAD!r}); "
            "update ccod, or name another file with --database"
        )
    if version is not None:
        _back_up(path, path.with_name(f"{path.name}.before-{HEAD}"))
    # A migration changes a table by putting a new one in its place, to which then leads what led to the old one.
    with unchecked(writer), writer.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    version: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return version


def _back_up(path: Path, to: Path) -> None:
    try:
        copy_database(path, to)
    except (OSError, sqlite3.Error) as error:
        raise UnavailableError(
            f"{to}: the backup before the change to schema {HEAD!r} cannot be written ({error}); make room for it"
        ) from error
