"""Folders for one daemon: nothing it reads or writes lies outside them, and no setting comes from outside."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomli_w

Settings = Mapping[str, Any]
"""What stands in a configuration file: values by key, tables by name."""
MEASURED = {name: value for name, value in os.environ.items() if name == "COVERAGE_PROCESS_CONFIG"}
"""For the environment of a process that coverage.py is to measure where it measures the tests."""
UNMEASURED = dict.fromkeys(MEASURED, "")
"""For that of a process where measuring would change what is tested: what is imported, or how fast it is."""


class Home:
    """The folders below `path`, and a configuration file with `settings`. `variables` are for the environment."""

    def __init__(self, path: Path, settings: Settings | None = None) -> None:
        self.path = path
        self.config = path / "ccod.toml"
        self.log = path / "stderr.log"
        self.plugins = path / "plugins"
        self.variables: dict[str, str] = {}
        path.mkdir(parents=True, exist_ok=True)
        self.configure(settings or {})

    def configure(self, settings: Settings) -> None:
        """Write the configuration file anew; it may hold secrets."""
        self.config.touch(0o600)
        self.config.write_text(tomli_w.dumps({"log": {"format": "json"}, **settings}))

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
        """All that a process of this home sees of the world; it serves on any free ports."""
        return {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "HOME": str(self.path),
            "PORT": "0",
            "METRICS_PORT": "0",
            **{f"XDG_{kind}_HOME": str(self.path / kind.lower()) for kind in ("CONFIG", "DATA", "STATE", "CACHE")},
            **MEASURED,
            **self.variables,
        }
