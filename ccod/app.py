"""What the commands of one call share, and the options that all of them take."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ccod.errors import CcodError, ConfigError

if TYPE_CHECKING:  # help for one command needs neither plugins nor settings
    from ccod.configuration import Configuration
    from ccod.manager import Manager
    from ccod.past import Past
    from ccod.settings import Settings


class App:
    """Where the configuration is, and what came of it."""

    def __init__(self) -> None:
        self.file: Path | None = None
        self.overrides: dict[str, str] = {}
        self.past: Past | None = None
        """What is known of earlier processes, once the plugins are loaded: who blocked one is left out."""
        self._manager: Manager | None = None
        self._chosen: object = None

    def configuration(self) -> Configuration:
        from ccod.configuration import Configuration

        return Configuration(self.file, os.environ, self.overrides)

    def manager(self) -> Manager:
        """Return the loaded plugins, loaded anew where an option read since then leaves out others."""
        from ccod.discovery import in_folder, installed, strangers
        from ccod.manager import Manager
        from ccod.past import past, state_folder
        from ccod.settings import expanded

        core = self.configuration().core()
        chosen = (core.disable, core.load_plugins, core.plugins_dir, core.trace_plugins)
        if self._manager is None or self._chosen != chosen:
            found = installed() + (in_folder(expanded(core.plugins_dir)) if core.plugins_dir else [])
            self.past = past(strangers(found), state_folder())
            self._manager = Manager(
                core.disable, found, core.load_plugins, trace=core.trace_plugins, left_out=self.past.left_out
            )
            self._chosen = chosen
        return self._manager

    def settings(self) -> Settings:
        """Read and check the whole configuration. Raises ConfigError or PluginError for the first thing wrong.

        Plugins of others that cannot be loaded are named, and left out, as by the daemon.
        """
        manager = self.manager()
        manager.contain()
        for error in manager.errors:
            click.echo(f"ccod: {error}", err=True)
        return self.configuration().settings(manager.schemas(), absent=manager.absent)

    def settings_to_serve(self) -> Settings:
        """Do as `settings`, and look at the files that a daemon would need. Plugins of others may fail from now on.

        See `Manager.contain`.
        """
        manager = self.manager()
        manager.contain()
        settings = self.configuration().settings(manager.schemas(), absent=manager.absent)
        for fault in self.configuration().faults(settings, manager.schemas()):
            raise fault
        return settings

    def settings_again(self, manager: Manager) -> Settings:
        """Read and check the whole configuration for a daemon that runs with these plugins."""
        configuration = self.configuration()
        absent = [*manager.absent, *configuration.core().disable]
        read = configuration.settings(manager.schemas(), absent=absent)
        for fault in configuration.faults(read, manager.schemas()):
            raise fault
        manager.require_roles(read)
        return read

    def placed(self, error: BaseException) -> BaseException:
        """Put before an error that names a setting the place where that was written, where it can be told."""
        if isinstance(error, ConfigError):
            with suppress(CcodError):
                return self.configuration().placed(error, self.manager().schemas())
        return error


pass_app = click.make_pass_decorator(App, ensure=True)


class Group(click.Group):
    """A group whose commands, and theirs, each take the options that say where the configuration is."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.later: dict[str, Callable[[], click.Command]] = {}
        """What makes each command that was not wanted yet."""

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        super().add_command(_with_options(cmd), name)

    def add_later(self, name: str, make: Callable[[], click.Command]) -> None:
        """Add a command that is made, and its module imported, when it is called or told of."""
        self.later[name] = make

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *self.later})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if make := self.later.get(cmd_name):
            self.add_command(make(), cmd_name)
            del self.later[cmd_name]
        return super().get_command(ctx, cmd_name)


def _with_options(cmd: click.Command) -> click.Command:
    """Let a command, and those below it, take the options that say where the configuration is."""
    for each in cmd.commands.values() if isinstance(cmd, click.Group) else ():
        _with_options(each)
    cmd.params += OPTIONS
    return cmd


def _remember_file(ctx: click.Context, _: click.Parameter, file: Path | None) -> None:
    if file is not None:
        ctx.ensure_object(App).file = file


def _remember_values(ctx: click.Context, _: click.Parameter, assignments: tuple[str, ...]) -> None:
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        if not equals:
            raise click.BadParameter(f"{assignment!r} is not NAME=VALUE, such as http.port=3000")
        ctx.ensure_object(App).overrides[name] = text


def _remember_folder(ctx: click.Context, _: click.Parameter, folder: Path | None) -> None:
    if folder is not None:
        ctx.ensure_object(App).overrides["plugins_dir"] = str(folder)


OPTIONS = [
    click.Option(
        ["--config"],
        type=click.Path(readable=False, path_type=Path),
        expose_value=False,
        is_eager=True,
        callback=_remember_file,
        metavar="FILE",
        help="Configuration file, instead of $XDG_CONFIG_HOME/ccod/config.toml.",
    ),
    click.Option(
        ["--set"],
        multiple=True,
        expose_value=False,
        is_eager=True,
        callback=_remember_values,
        metavar="NAME=VALUE",
        help="Set one value, such as --set http.port=3000. May be repeated.",
    ),
    click.Option(
        ["--plugins-dir"],
        type=click.Path(path_type=Path),
        expose_value=False,
        is_eager=True,
        callback=_remember_folder,
        metavar="FOLDER",
        help="Folder in which each *.py is a plugin; plugins_dir in the file.",
    ),
]
"""Where the configuration is: one set of them for all commands, for to make an option takes longer than to read it."""
