"""`ccod service`: ccod as a service of the user's systemd."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ccod.app import App, pass_app
from ccod.errors import CcodError, UnavailableError
from ccod.places import unit_file

if TYPE_CHECKING:
    import subprocess

    from ccod.checks import Finding

UNIT = "ccod.service"


class ServiceError(CcodError):
    """systemd refused."""


@click.group()
def service() -> None:
    """Run ccod as a service of your own, with systemd."""


@service.command()
@click.option("--no-start", is_flag=True, help="Only write the unit.")
@pass_app
def install(app: App, no_start: bool) -> None:
    """Write the unit, and start ccod now and at each login.

    What is changed by `systemctl --user edit ccod` stays.

    Example: ccod service install
    """
    app.settings_to_serve()
    if app.overrides:
        raise ServiceError("a service takes no --set; use `ccod config set`, and run this again without")
    path = unit_file(os.environ)
    _write(path, unit(_command(app.file)))
    click.echo(f"{path}: written")
    _warn_of_variables(app)
    if no_start:
        return
    if not _manager_answers():
        click.echo("No systemd of yours runs here. Where one does: `systemctl --user enable --now ccod`.")
        return
    _systemctl("daemon-reload")
    _systemctl("enable", UNIT)
    _systemctl("restart", UNIT)
    click.echo("ccod runs. `ccod service status` and `ccod service logs` tell more.")
    if not _lingers():
        click.echo("It ends when you log out for the last time; `loginctl enable-linger` keeps it running.")


@service.command()
@pass_app
def uninstall(app: App) -> None:
    """Stop ccod and remove the unit. History and settings stay.

    Example: ccod service uninstall
    """
    path = unit_file(os.environ)
    if not path.exists():
        raise ServiceError(f"{path}: is not there; nothing is installed")
    if _manager_answers():
        _systemctl("disable", "--now", UNIT)
    path.unlink()
    if _manager_answers():
        _systemctl("daemon-reload")
    click.echo(f"{path}: removed. Your history stays, and so does {app.configuration().file.parent}.")


@service.command()
@click.pass_context
def status(ctx: click.Context) -> None:
    """Show what systemd knows of the service.

    Example: ccod service status
    """
    _require_manager()
    ctx.exit(_run("systemctl", "--user", "status", "--no-pager", UNIT, shown=True).returncode)


@service.command()
@click.option("-f", "--follow", is_flag=True, help="Go on with what comes.")
@click.option("-n", "--lines", default=50, show_default=True, help="How many lines to begin with.")
@click.pass_context
def logs(ctx: click.Context, follow: bool, lines: int) -> None:
    """Show the log of the service.

    Example: ccod service logs --follow
    """
    import shutil

    if shutil.which("journalctl") is None:
        raise UnavailableError("no journal is installed here; ccod logs to where it was started")
    if not _manager_answers():
        if follow:
            raise UnavailableError(
                "no systemd of yours runs here, so that nothing comes; `ccod serve` logs to its terminal"
            )
        click.echo("ccod: no systemd of yours runs here; all there is in the journal is of before", err=True)
    options = ["--lines", str(lines), "--output", "cat", *(["--follow"] if follow else [])]
    ctx.exit(_run("journalctl", "--user", "--unit", UNIT, *options, shown=True).returncode)


def service_findings() -> Iterator[Finding]:
    """Yield whether systemd keeps ccod running, for `ccod doctor`."""
    from ccod.checks import Finding

    path = unit_file(os.environ)
    if not _manager_answers():
        yield Finding("service", "ok", "no systemd of yours runs here; ccod runs for as long as what started it")
        return
    if not path.exists():
        text = f"{path}: is not there; ccod does not start by itself when you log in"
        yield Finding("service", "warning", text, "ccod service install")
        return
    yield Finding("service", "ok", f"{path}")
    if _lingers():
        yield Finding("linger", "ok", "ccod runs while you are logged out, too")
    else:
        yield Finding("linger", "warning", "ccod ends when you log out for the last time", "loginctl enable-linger")


def unit(command: list[str]) -> str:
    """Return the text of the unit that runs `command`."""
    from importlib.resources import files

    template = files("ccod").joinpath(UNIT).read_text()
    line = "ExecStart=" + " ".join(map(quoted, command))
    return re.sub(r"(?m)^ExecStart=.*$", lambda _: line, template)


def quoted(word: str) -> str:
    """Write a word of a command line as systemd reads it: systemd.service(5)."""
    word = word.replace("%", "%%").replace("$", "$$")
    if re.fullmatch(r"[\w@%+=:,./$-]+", word, re.ASCII):
        return word
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def _command(config: Path | None) -> list[str]:
    program = Path(sys.executable).parent / "ccod"
    if not program.exists():
        import shutil

        program = Path(shutil.which("ccod") or sys.argv[0]).absolute()
    return [str(program), "serve", *(["--config", str(config.absolute())] if config else [])]


def _write(path: Path, text: str) -> None:
    from ccod.files import write_private

    try:
        write_private(path, text.encode())
    except OSError as error:
        raise ServiceError(f"{path}: {error.strerror or error}; make its folder writable") from error


def _warn_of_variables(app: App) -> None:
    """A service does not see what a shell has set."""
    from ccod.configuration import declared

    known = {name for field in declared(app.manager().schemas()) for name in (field.variable, field.env) if name}
    seen = sorted(known & os.environ.keys())
    if seen:
        names = ", ".join(seen)
        click.echo(f"ccod: the service does not see what this shell sets: {names}; use `ccod config set`", err=True)


def _lingers() -> bool:
    """Tell whether the user's systemd runs on while its user is logged out."""
    import shutil

    asked = ("loginctl", "show-user", str(os.getuid()), "--property=Linger", "--value")
    return shutil.which("loginctl") is not None and _run(*asked).stdout.strip() == "yes"


def _require_manager() -> None:
    if not _manager_answers():
        raise UnavailableError("no systemd of yours runs here; run ccod with `ccod serve`")


def _manager_answers() -> bool:
    import shutil

    return shutil.which("systemctl") is not None and _run("systemctl", "--user", "show-environment").returncode == 0


def _systemctl(*arguments: str) -> None:
    done = _run("systemctl", "--user", *arguments)
    if done.returncode != 0:
        said = " ".join(done.stderr.split()) or f"exit {done.returncode}"
        raise ServiceError(f"systemctl {' '.join(arguments)}: {said}; see `ccod service logs`")


def _run(*command: str, shown: bool = False) -> subprocess.CompletedProcess[str]:
    import subprocess

    return subprocess.run(command, capture_output=not shown, text=True, check=False)  # noqa: S603
