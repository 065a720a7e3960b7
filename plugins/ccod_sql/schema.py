"""Brings a database's tables to what this version needs."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from ccod import ConfigError

HEAD = "0001"
"""The newest migration. Alembic is imported only for a database that is not there yet."""


def upgrade(connection: Connection, path: Path) -> None:
    """Run the migrations that are missing."""
    version = _version(connection)
    if version == HEAD:
        return
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", "ccod_sql:migrations")
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if version is not None and version not in known:
        raise ConfigError(
            f"{path}: written by a newer ccod (schema {version!r}, this one knows {HEAD!r}); "
            "update ccod, or name another file with --database"
        )
    command.upgrade(config, "head")


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    version: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return version
