"""`ccod install` and `ccod uninstall`: plugins into the environment that ccod itself runs in."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from ccod.errors import CcodError

RESTART = "A daemon that runs knows of it once it is restarted."


class PackagesError(CcodError):
    """The environment cannot be changed from here."""


@click.command()
@click.argument("packages", nargs=-1, required=True)
def install(packages: tuple[str, ...]) -> None:
    """Install plugins where ccod is installed, by pip, pipx or uv.

    Example: ccod install ccod-webhook
    """
    _run(command("install", packages))
    click.echo(RESTART)


@click.command()
@click.argument("packages", nargs=-1, required=True)
def uninstall(packages: tuple[str, ...]) -> None:
    """Uninstall plugins from where ccod is installed.

    Example: ccod uninstall ccod-webhook
    """
    for package in packages:
        if re.sub(r"[-_.]+", "-", package).lower() == "ccod":
            raise PackagesError("ccod cannot uninstall itself; do it with what installed it")
    _run(command("uninstall", packages))
    click.echo(RESTART)


def command(action: str, packages: Sequence[str], prefix: Path | None = None) -> list[str]:
    """Return what installs or uninstalls `packages` in the environment `prefix`, that of this process by default.

    Raises PackagesError where nothing at hand can.
    """
    import shutil
    import sysconfig
    from importlib.util import find_spec

    prefix = prefix or Path(sys.prefix)
    if (prefix / "pipx_metadata.json").exists() and (pipx := shutil.which("pipx")):
        return [pipx, {"install": "inject", "uninstall": "uninject"}[action], prefix.name, *packages]
    python = str(prefix / "bin" / "python") if prefix != Path(sys.prefix) else sys.executable
    if _made_by_uv(prefix) and (uv := shutil.which("uv")):
        return [uv, "pip", action, "--python", python, *packages]
    if prefix == Path(sys.base_prefix) and (Path(sysconfig.get_path("stdlib")) / "EXTERNALLY-MANAGED").exists():
        raise PackagesError(f"{prefix} is the system's; install ccod with pipx or uv, or into a venv of your own")
    if find_spec("pip"):
        return [python, "-m", "pip", action, *(["--yes"] if action == "uninstall" else ["--no-input"]), *packages]
    raise PackagesError(f"{prefix} has no pip, and neither pipx nor uv made it; {action} {' '.join(packages)} by hand")


def _made_by_uv(prefix: Path) -> bool:
    """Tell whether uv made an environment: a tool's has a receipt, and every one says so in its own file."""
    configuration = prefix / "pyvenv.cfg"
    if (prefix / "uv-receipt.toml").exists():
        return True
    return configuration.exists() and re.search(r"^uv = ", configuration.read_text(), re.MULTILINE) is not None


def _run(words: Sequence[str]) -> None:
    import subprocess

    click.echo(f"$ {shlex.join(words)}", err=True)
    code = subprocess.run(words, stdin=subprocess.DEVNULL, check=False).returncode  # noqa: S603 - a person asked
    if code:
        raise PackagesError(f"that failed with exit code {code}; nothing was changed, or not all")
