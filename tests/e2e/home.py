"""Folders for one daemon that reads transcripts of Claude Code."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ccod.testing import home
from tests.postgres import database_of

Tables = Mapping[str, Mapping[str, Any]]

REPLACED = "REPLACED_PLUGIN"
"""The environment variable in which `tests.e2e.replacing` says how another plugin than the built-in plays a role."""


def replaced() -> dict[str, Any]:
    """Return the `variables` of every daemon, and which plugins are `asked` what; nothing where none is replaced.

    In the folder `postgres` is the socket of a server, on which every home gets a database.
    """
    found: dict[str, Any] = json.loads(os.environ.get(REPLACED, "{}"))
    return found


class Home(home.Home):
    """The folders below `path`, and a configuration file that names them; `tables` are further settings."""

    def __init__(self, path: Path, tables: Tables | None = None) -> None:
        self.root = path / "projects"
        self.database = path / "data" / "ccod.db"
        self.root.mkdir(parents=True, exist_ok=True)
        super().__init__(path, tables)
        self.variables["CLAUDE_CONFIG_DIR"] = str(path / ".claude")
        self.variables.update(replaced().get("variables", {}))
        if folder := replaced().get("postgres"):
            self.variables["CCOD_POSTGRES__URL"] = database_of(Path(folder), path)
            self.variables["CCOD_POSTGRES__FOLDER"] = str(self.database.parent)

    def install(self, plugin: str, source: str) -> None:
        """See `ccod.testing.home.Home`. It is loaded also where a replacement is to be loaded and nothing else."""
        super().install(plugin, source)
        if chosen := self.variables.get("CCOD_LOAD_PLUGINS"):
            self.variables["CCOD_LOAD_PLUGINS"] = f"{chosen},ccod_{plugin}"

    def configure(self, settings: home.Settings) -> None:
        merged: dict[str, dict[str, Any]] = {
            "http": {"port": 0},
            "metrics": {"port": 0},
            "claude": {"roots": [str(self.root)]},
            "sqlite": {"path": str(self.database)},
            "log": {"format": "json"},
        }
        for table, values in settings.items():
            merged.setdefault(table, {}).update(values)
        super().configure(merged)

    @property
    def environment(self) -> dict[str, str]:
        """The ports are those in the file, which a test may choose: an environment would overrule it."""
        ports = {"PORT", "METRICS_PORT"} - self.variables.keys()
        return {name: value for name, value in super().environment.items() if name not in ports}
