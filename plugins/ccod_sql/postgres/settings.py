"""The table `[postgres]` of the configuration."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

from msgspec import Struct, field

from ccod import ConfigError, FilePath, Seconds, setting

NAME = "postgres"
"""Of the plugin, in `storage = …`."""


def _default_folder() -> str:
    home = os.environ.get("XDG_DATA_HOME", "")
    return str(Path(home if home.startswith("/") else "~/.local/share") / "ccod")


class PostgresSettings(Struct, forbid_unknown_fields=True):
    """The database on a server; it holds with storage = "postgres"."""

    url: Annotated[
        str,
        setting(
            'Where the database is: "postgresql://user:password@host/database", or whatever else psql takes; '
            'a text, or { file = "/path" } or { env = "NAME" }.',
            secret=True,
        ),
    ] = ""
    readers: Annotated[
        int,
        setting(
            "Most reading connections at one time; one that writes, one that listens and one for upkeep come to these.",
            ge=1,
            le=64,
        ),
    ] = 10
    patience: Annotated[Seconds, setting("How long to wait at the start for a server that is not there.", le=86400)] = (
        30.0
    )
    statement_timeout: Annotated[
        Seconds, setting("The longest that one statement may take; 0 for no limit.", le=86400)
    ] = 60.0
    folder: Annotated[
        FilePath,
        setting("Folder on this machine for what other plugins keep in files, such as keys.", min_length=1),
    ] = field(default_factory=_default_folder)


def require_driver() -> None:
    """Raise ConfigError where the driver is not installed, which only this storage needs."""
    if find_spec("psycopg") is None:
        raise ConfigError('storage: "postgres" needs the package psycopg; `pip install "ccod[postgres]"`')
