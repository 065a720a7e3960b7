"""The commands by which a person starts, restarts and updates ccod here, for findings of `ccod doctor`."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Collection
from pathlib import Path

from ccod.places import manager_socket, unit_file


def start_command() -> str:
    """Return the command that starts the daemon: as a service where it is one."""
    return "systemctl --user start ccod" if _is_service() else "ccod serve"


def restart_advice() -> str:
    """Return what starts the daemon anew."""
    return "systemctl --user restart ccod" if _is_service() else "stop the daemon, and start it with `ccod serve`"


def upgrade_command() -> str:
    """Return the command that updates ccod, by what installed it."""
    prefix = Path(sys.prefix)
    if (prefix / "pipx_metadata.json").exists():
        return "pipx upgrade ccod"
    if (prefix / "uv-receipt.toml").exists():
        return "uv tool upgrade ccod"
    return shlex.join([sys.executable, "-m", "pip", "install", "--upgrade", "ccod"])


def leave_out_command(plugin: str, disabled: Collection[str]) -> str:
    """Return the command that leaves a plugin out, and those that are left out already."""
    return f"ccod config set disable {shlex.quote(','.join([*disabled, plugin]))}"


def _is_service() -> bool:
    return unit_file(os.environ).exists() and manager_socket(os.environ).exists()
