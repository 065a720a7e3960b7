"""`ccod install` and `ccod uninstall`: plugins into the environment that ccod itself runs in."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import click

from ccod.entrypoints import canonical
from ccod.errors import CcodError

OWN = "ccod"
RECEIPT = "uv-receipt.toml"
"""What a tool's environment has that uv made."""
RESTART = "A daemon that runs knows of it once it is restarted."


class PackagesError(CcodError):
    """The environment cannot be changed from here."""


@click.command()
@click.argument("packages", nargs=-1, required=True)
def install(packages: tuple[str, ...]) -> None:
    """Install plugins where ccod is installed, by pip, pipx or uv.

    Example: ccod install ccod-webhook
    """
    if OWN in map(_named, packages):
        raise PackagesError("ccod cannot install itself; do it with what installed it")
    words = command("install", packages)
    if "inject" in words:
        _require_absent(packages)
    _run(words)
    _require_plugins([name for package in packages if (name := _named(package))])
    click.echo(RESTART)
    if (Path(sys.prefix) / RECEIPT).exists():
        click.echo("`uv tool upgrade ccod` takes plugins away: install them again after it.")


@click.command()
@click.argument("packages", nargs=-1, required=True)
def uninstall(packages: tuple[str, ...]) -> None:
    """Uninstall plugins from where ccod is installed.

    Example: ccod uninstall ccod-webhook
    """
    names = [*map(_named, packages)]
    if OWN in names:
        raise PackagesError("ccod cannot uninstall itself; do it with what installed it")
    for package, name in zip(packages, names, strict=True):
        _require_unneeded(package, name, names)
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
    made_by_pipx = (prefix / "pipx_metadata.json").exists()
    if made_by_pipx and (pipx := shutil.which("pipx")):
        home = ["env", f"PIPX_HOME={prefix.parent.parent}"] if prefix.parent.name == "venvs" else []
        return [*home, pipx, {"install": "inject", "uninstall": "uninject"}[action], prefix.name, *packages]
    python = str(prefix / "bin" / "python") if prefix != Path(sys.prefix) else sys.executable
    made_by_uv = _made_by_uv(prefix)
    if made_by_uv and (uv := shutil.which("uv")):
        return [uv, "pip", action, "--python", python, *packages]
    if prefix == Path(sys.base_prefix) and (Path(sysconfig.get_path("stdlib")) / "EXTERNALLY-MANAGED").exists():
        raise PackagesError(f"{prefix} is the system's; install ccod with pipx or uv, or into a venv of your own")
    if find_spec("pip"):
        return [python, "-m", "pip", action, *(["--yes"] if action == "uninstall" else ["--no-input"]), *packages]
    maker = "pipx" if made_by_pipx else "uv" if made_by_uv else None
    if maker:
        raise PackagesError(f"{maker} made {prefix}, and is not found on the PATH; put it there")
    raise PackagesError(f"{prefix} has no pip, and neither pipx nor uv made it; {action} {' '.join(packages)} by hand")


def _made_by_uv(prefix: Path) -> bool:
    """Tell whether uv made an environment: a tool's has a receipt, and every one says so in its own file."""
    configuration = prefix / "pyvenv.cfg"
    if (prefix / RECEIPT).exists():
        return True
    return configuration.exists() and re.search(r"^uv = ", configuration.read_text(), re.MULTILINE) is not None


def _named(package: str) -> str | None:
    """Return the canonical name of the distribution that a requirement or a wheel names; None where neither is one."""
    from packaging.requirements import InvalidRequirement, Requirement

    if package.endswith(".whl"):
        return canonical(Path(package).name.partition("-")[0])
    try:
        return canonical(Requirement(package).name)
    except InvalidRequirement:
        return None


def _require_absent(packages: Sequence[str]) -> None:
    """Raise PackagesError for the first that is there: pipx leaves it as it is, and says that all is well."""
    from importlib.metadata import distributions

    there = {canonical(each.name or "") for each in distributions()}
    for package in packages:
        if (name := _named(package)) in there:
            raise PackagesError(f"{name} is there already, and pipx would leave it; `ccod uninstall {name}` first")


def _require_plugins(names: Sequence[str]) -> None:
    """Raise PackagesError for the first of what was just installed that offers ccod nothing."""
    import importlib
    from importlib.metadata import distributions

    importlib.invalidate_caches()
    plugins = {
        canonical(each.name or "")
        for each in distributions()
        if any(entry.group.startswith(OWN) for entry in each.entry_points)
    }
    for name in names:
        if name not in plugins:
            raise PackagesError(
                f"{name} was installed, but is no plugin of ccod; `ccod uninstall {name}` takes it away"
            )


def _require_unneeded(package: str, name: str | None, going: Sequence[str | None]) -> None:
    """Raise PackagesError where a package is not there, or something needs it that stays."""
    from importlib.metadata import distributions

    requiring = {canonical(each.name or ""): {*_required(each.requires or ())} for each in distributions()}
    if name not in requiring:
        raise PackagesError(f"{package} is not installed where ccod is; `ccod plugins --all` lists what is there")
    if users := sorted(user for user, needs in requiring.items() if name in needs and user not in going):
        raise PackagesError(f"{package} is needed by {', '.join(users)}; it stays")


def _required(requirements: Iterable[str]) -> Iterator[str]:
    """Yield the names of what is required whatever extras are wanted."""
    from packaging.requirements import InvalidRequirement, Requirement

    for text in requirements:
        with suppress(InvalidRequirement):
            need = Requirement(text)
            if need.marker is None or need.marker.evaluate({"extra": ""}):
                yield canonical(need.name)


def _run(words: Sequence[str]) -> None:
    import subprocess

    click.echo(f"$ {shlex.join(words)}", err=True)
    code = subprocess.run(words, stdin=subprocess.DEVNULL, check=False).returncode  # noqa: S603 - a person asked
    if code:
        raise PackagesError(f"that failed with exit code {code}; nothing was changed, or not all")
