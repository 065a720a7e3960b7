"""The command line. The core's commands stand here; plugins add theirs, and are loaded only when one is wanted."""

from __future__ import annotations

import os
import sys
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

import click

from ccod.app import OPTIONS, App, Group, pass_app
from ccod.errors import CcodError, ConfigError, PluginError
from ccod.streams import end_quietly, is_journal, let_go, open_missing
from ccod.version import __version__

if TYPE_CHECKING:
    from ccod.settings import Field, Settings


class Cli(Group):
    """A group whose plugins' commands are added when one of them, or the list of all, is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        self._add_plugins(ctx)
        return super().list_commands(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in {*self.commands, *self.later}:
            self._add_plugins(ctx)
        try:
            return super().get_command(ctx, cmd_name)
        except PluginError as error:
            if ctx.ensure_object(App).manager().is_own(error.plugin):
                raise
            _say(error)
            return None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            left_out = ctx.ensure_object(App).configuration().core().disable
            if not left_out:
                raise
            where = f"It may be of a plugin that `disable` leaves out: {', '.join(left_out)}."
            raise click.UsageError(f"{error.message} {where}", ctx) from None

    def _add_plugins(self, ctx: click.Context) -> None:
        for error in ctx.ensure_object(App).manager().add_commands(self, _settings):
            _say(error)


def _settings() -> Settings:
    """Read the settings of the call in which a plugin's command runs: the commands may outlive the first."""
    return click.get_current_context().ensure_object(App).settings()


class Serve(click.Command):
    """A command with an option for each setting that declares one."""

    def make_context(self, *values: Any, **named: Any) -> click.Context:
        """Keep the stacks from now on, before the plugins are imported that declare settings."""
        from ccod.dump import open_dump
        from ccod.past import state_folder

        open_dump(state_folder())
        return super().make_context(*values, **named)

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        from ccod.settings import fields

        schemas = ctx.ensure_object(App).manager().schemas()
        found = [field for table, schema in schemas.items() for field in fields(schema, (table,)) if field.option]
        return [*super().get_params(ctx)[:-1], *map(_option, found), *super().get_params(ctx)[-1:]]


def _option(field: Field) -> click.Option:
    def remember(ctx: click.Context, _: click.Parameter, text: str | None) -> None:
        if text is not None:
            ctx.ensure_object(App).overrides[".".join(field.path)] = text

    assert field.option
    help_text = f"{field.description}  {field.name} in the file, {field.variable} in the environment."
    return click.Option([field.option], expose_value=False, callback=remember, help=help_text, metavar="VALUE")


@click.group(cls=Cli, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="ccod")
def cli() -> None:
    """Keep, search and watch the history of Claude Code.

    Example: ccod status
    """


@cli.command(cls=Serve)
@pass_app
def serve(app: App) -> None:
    """Run the daemon until it is told to stop.

    Exit code 0: it was told to, also by SIGTERM. 69: its port is taken. 75: another daemon holds the database. 78: the
    configuration is wrong.

    Example: ccod serve --port 4000
    """
    import gc

    gc.disable()  # what is loaded now stays: `daemon` turns it on again once ready
    import trio

    from ccod import daemon, log
    from ccod.past import state_folder
    from ccod.progress import BackfillProgress

    os.umask(0o077)
    manager = app.manager()
    settings = app.settings_to_serve()
    log.set_up(settings.core, redactor=manager.redactor(settings))
    assert app.past is not None  # since the plugins were loaded
    app.past.tell(state_folder())
    with BackfillProgress() as progress:
        reader = partial(app.settings_again, manager)
        trio.run(daemon.serve, manager, settings, progress, reader, strict_exception_groups=True)


cli.params += OPTIONS


def _config() -> click.Command:
    from ccod.commands.config import config

    return config


def _plugins() -> click.Command:
    from ccod.commands.plugins import plugins

    return plugins


def _install() -> click.Command:
    from ccod.commands.packages import install

    return install


def _uninstall() -> click.Command:
    from ccod.commands.packages import uninstall

    return uninstall


def _service() -> click.Command:
    from ccod.commands.service import service

    return service


def _doctor() -> click.Command:
    from ccod.commands.doctor import doctor_command
    from ccod.commands.service import service_findings

    return doctor_command(service_findings)


def _completion() -> click.Command:
    from ccod.commands.completion import completion_command

    return completion_command(cli)


def _man() -> click.Command:
    from ccod.commands.man import man_command

    return man_command(cli)


for _make in (_config, _plugins, _install, _uninstall, _service, _doctor, _completion, _man):
    cli.add_later(_make.__name__.removeprefix("_"), _make)


def main() -> NoReturn:
    """Run the command line; a person's mistake is one line on stderr and its exit code, never a traceback."""
    open_missing()
    sys.stdout = end_quietly(sys.stdout)
    app = App()
    try:
        code = cli.main(prog_name="ccod", standalone_mode=False, obj=app)
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except click.Abort:
        code = 130
    except CcodError as error:
        code = _say(app.placed(error))
    except BaseExceptionGroup as group:
        ends, others = group.split(SystemExit)
        ours, bugs = others.split(CcodError) if others else (None, None)
        if bugs is not None:
            raise
        code = _say(app.placed(_first(ours))) if ours else getattr(_first(ends or group), "code", 1)
    sys.exit(code if isinstance(code, int) else 0)


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _say(error: BaseException) -> int:
    line = " ".join(str(error).split())
    priority = "<3>" if is_journal(sys.stderr, os.environ) else ""
    try:
        click.echo(f"{priority}ccod: {''.join(c if c.isprintable() else repr(c)[1:-1] for c in line)}", err=True)
    except BrokenPipeError:  # who would read that has gone
        let_go(sys.stderr.fileno())
    return error.exit_code if isinstance(error, CcodError) else ConfigError.exit_code
