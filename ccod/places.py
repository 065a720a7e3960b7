"""Where the user's files of ccod are."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path


def default_file(environ: Mapping[str, str]) -> Path:
    """Return the user's configuration file, whether it exists or not."""
    return _home(environ) / "ccod" / "config.toml"


def unit_file(environ: Mapping[str, str]) -> Path:
    """Return the unit of the user's systemd that `ccod service install` writes, whether it exists or not."""
    return _home(environ) / "systemd" / "user" / "ccod.service"


def manager_socket(environ: Mapping[str, str]) -> Path:
    """Return where the user's systemd, if one runs, hears `systemctl --user`."""
    return Path(environ.get("XDG_RUNTIME_DIR", "") or f"/run/user/{os.getuid()}") / "systemd" / "private"


def _home(environ: Mapping[str, str]) -> Path:
    from ccod.settings import expanded  # here, so that commands start without it

    home = environ.get("XDG_CONFIG_HOME", "")
    return Path(home) if home.startswith("/") else expanded("~/.config")
