"""Folders for one daemon: nothing it reads or writes lies outside them, and no setting comes from outside."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomli_w

Tables = Mapping[str, Mapping[str, Any]]


class Home:
    """The folders below `path`, and a configuration file that names them; `tables` are further settings."""

    def __init__(self, path: Path, tables: Tables | None = None) -> None:
        self.path = path
        self.root = path / "projects"
        self.database = path / "data" / "ccod.db"
        self.config = path / "ccod.toml"
        self.log = path / "stderr.log"
        self.variables: dict[str, str] = {}
        self.plugins = path / "plugins"
        self.root.mkdir(parents=True, exist_ok=True)
        self.configure(tables or {})

    def configure(self, tables: Tables) -> None:
        """Write the configuration file anew."""
        merged: dict[str, dict[str, Any]] = {
            "http": {"port": 0},
            "metrics": {"port": 0},
            "claude": {"roots": [str(self.root)]},
            "sqlite": {"path": str(self.database)},
            "log": {"format": "json"},
        }
        for table, values in tables.items():
            merged.setdefault(table, {}).update(values)
        self.config.write_text(tomli_w.dumps(merged))

    def install(self, plugin: str, source: str) -> None:
        """Install a plugin of one module, as a package of somebody else's would be."""
        described = self.plugins / f"ccod_{plugin}-1.dist-info"
        described.mkdir(parents=True)
        self.variables["PYTHONPATH"] = str(self.plugins)
        (self.plugins / f"ccod_{plugin}.py").write_text(source)
        (described / "METADATA").write_text(f"Metadata-Version: 2.1\nName: ccod_{plugin}\nVersion: 1\n")
        (described / "entry_points.txt").write_text(f"[ccod]\n{plugin} = ccod_{plugin}\n")

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "HOME": str(self.path),
            "CLAUDE_CONFIG_DIR": str(self.path / ".claude"),
            **self.variables,
            **{f"XDG_{kind}_HOME": str(self.path / kind.lower()) for kind in ("CONFIG", "DATA", "STATE", "CACHE")},
        }
