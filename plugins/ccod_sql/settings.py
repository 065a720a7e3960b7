"""The table `[sqlite]` of the configuration."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated

from msgspec import Struct, field

from ccod import ConfigError, FilePath, Seconds, setting

_NO_FILE = re.compile(r":|file:|[\w+.-]+://")


def _default_path() -> str:
    home = os.environ.get("XDG_DATA_HOME", "")
    return str(Path(home if home.startswith("/") else "~/.local/share") / "ccod" / "ccod.db")


class SqliteSettings(Struct, forbid_unknown_fields=True):
    """The database file."""

    path: Annotated[
        FilePath,
        setting(
            "Database file; its folder is made when absent.",
            env="DATABASE_PATH",
            option="--database",
            min_length=1,
        ),
    ] = field(default_factory=_default_path)
    readers: Annotated[int, setting("Most reading connections at one time.", env="DB_MAX_CONNECTIONS", ge=1, le=64)] = (
        10
    )
    busy_timeout: Annotated[
        Seconds,
        setting("How long to wait for another program's lock.", env="DB_TIMEOUT", env_unit="ms", le=86400),
    ] = 30.0

    def __post_init__(self) -> None:
        if _NO_FILE.match(self.path):  # a URL is not shown, for a password may stand in it
            raise ConfigError("[sqlite] path: a URL is no path of a file; write the path, such as ~/ccod.db")
