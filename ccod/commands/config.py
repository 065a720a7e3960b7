"""`ccod config`: what is set, where, and how to set it."""

from __future__ import annotations

import json
import sys
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import click

from ccod.app import App, pass_app
from ccod.errors import CcodError, ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable

    import msgspec

MASK = "********"


class RefusedError(CcodError):
    """The command is right and cannot be done here."""


@click.group(invoke_without_command=True)
@click.option("--example", "wants_example", is_flag=True, help="Print a file that shows every setting.")
@click.pass_context
def config(ctx: click.Context, wants_example: bool) -> None:
    """Show, check and change the settings."""
    if wants_example:
        from ccod.example import example

        click.echo(example(ctx.ensure_object(App).manager().schemas()), nl=False)
        ctx.exit()
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


@config.command()
@pass_app
def init(app: App) -> None:
    """Write a configuration file with every setting commented out, but for those of --set.

    Example: ccod config init --set http.port=4000
    """
    import os

    from ccod.configuration import find
    from ccod.conversion import Value, convert
    from ccod.example import example
    from ccod.files import write_private
    from ccod.manager import Manager
    from ccod.places import default_file

    path = app.file or default_file(os.environ)
    if path.exists() or path.is_symlink():
        raise RefusedError(f"{path}: is there already; change it with an editor, or with `ccod config set`")
    manager = Manager()  # not the one of `app`: the file of --config is yet to be written
    manager.require()
    schemas = manager.schemas()
    values = {}
    for name, text in app.overrides.items():
        field = find(name, schemas)
        values[name] = _as_toml(convert(field, Value(text, f"command line: {name}", text=True)))
    try:
        write_private(path, example(schemas, values).encode())
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}; make its folder writable") from error
    click.echo(f"{path}: take the `#` from what you change; `ccod config check` tells whether it is right")


@config.command()
@click.argument("table", required=False)
@click.option("--origin", is_flag=True, help="Say where each value comes from.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@pass_app
def show(app: App, table: str | None, origin: bool, as_json: bool) -> None:
    """Print all settings, or those of one TABLE. Secrets are masked.

    Example: ccod config show http --origin
    """
    import msgspec

    found = [
        (field, value, place)
        for field, value, place in _all(app)
        if table is None or f"{'.'.join(field.path)}.".startswith(f"{table}.")
    ]
    if not found:
        raise ConfigError(f"no table is called {table!r}; `ccod config show` prints all")
    if as_json:
        settings = {".".join(f.path): {"value": msgspec.to_builtins(v), "origin": place} for f, v, place in found}
        click.echo(json.dumps({"schemaVersion": 1, "settings": settings}, ensure_ascii=False))
    else:
        _print(found, origin=origin)


def _print(found: Iterable[tuple[Any, Any, str]], *, origin: bool) -> None:
    from ccod.example import assignment

    at: tuple[str, ...] = ()
    for field, value, place in sorted(found, key=lambda item: (len(item[0].path) > 1, item[0].path[:-1])):
        if field.path[:-1] != at:
            at = field.path[:-1]
            click.echo(f"\n[{'.'.join(at)}]")
        line = assignment(field, _as_toml(value))
        click.echo(f"{line:<40}  # {place}" if origin else line)


def _all(app: App) -> list[tuple[Any, Any, str]]:
    """Return every setting with its value, secrets masked, and where it comes from."""
    from ccod.settings import CoreSettings, fields

    settings = app.settings()
    configuration = app.configuration()
    found = []
    classes: dict[str, type[msgspec.Struct]] = {"": CoreSettings, **dict(sorted(app.manager().schemas().items()))}
    for table, schema in classes.items():
        path = (table,) if table else ()
        struct = settings[schema] if table else settings.core
        for field in fields(schema, path):
            value = attrgetter(".".join(field.path[len(path) :]))(struct)
            found.append((field, MASK if field.secret and value else value, configuration.place(field)))
    return found


@config.command()
@pass_app
def check(app: App) -> None:
    """Say all that is wrong with the configuration; the exit code is 78 then.

    Example: ccod config check
    """
    manager = app.manager()
    manager.require()
    configuration = app.configuration()
    schemas = manager.schemas()
    _raise_all(list(configuration.problems(schemas, manager.absent)))
    settings = app.settings()
    _raise_all(list(configuration.faults(settings, schemas)))
    manager.require_roles(settings)
    read = [str(layer.path) for layer in configuration.files]
    click.echo(f"The configuration is right. Read: {', '.join(read) or 'no file; all is default or from elsewhere'}")


def _raise_all(problems: list[ConfigError]) -> None:
    """Raise the last, and print those before it."""
    for problem in problems[:-1]:
        click.echo(f"ccod: {problem}", err=True)
    for problem in problems[-1:]:
        raise problem


@config.command()
@click.argument("name")
@pass_app
def get(app: App, name: str) -> None:
    """Print one value. A secret is masked.

    Example: ccod config get http.port
    """
    from ccod.configuration import find

    wanted = find(name, app.manager().schemas())
    value = next(value for field, value, _ in _all(app) if field.path == wanted.path)
    click.echo(value if isinstance(value, str) else json.dumps(_as_toml(value), ensure_ascii=False))


@config.command("set")
@click.argument("name")
@click.argument("value")
@pass_app
def set_(app: App, name: str, value: str) -> None:
    """Set one value, in conf.d/local.toml beside the configuration file. VALUE `-` is read from standard input.

    Example: ccod config set claude.scan_interval 5s
    """
    from ccod.configuration import find
    from ccod.conversion import Value, convert
    from ccod.local import LocalFile

    field = find(name, app.manager().schemas())
    text = sys.stdin.read().rstrip("\r\n") if value == "-" else value
    converted = convert(field, Value(text, f"command line: {name}", text=True))
    _refuse_new_problems(app, name, text)
    path = app.configuration().local_file
    LocalFile(path).set(field.path, text if field.unit and not _is_number(text) else _as_toml(converted))
    click.echo(f"{path}: {name} is set; {_when(live=field.live)}")
    _tell_stronger(app, field, path)


def _refuse_new_problems(app: App, name: str, text: str) -> None:
    """Raise what would be wrong with the whole only once `name` is `text`."""
    from ccod.configuration import Configuration

    schemas = app.manager().schemas()
    before = app.configuration()
    known = {str(problem) for problem in before.problems(schemas, app.manager().absent)}
    after = Configuration(app.file, overrides={**app.overrides, name: text})
    for problem in after.problems(schemas, app.manager().absent):
        if str(problem) not in known:
            raise problem


def _tell_stronger(app: App, field: Any, path: Any) -> None:
    place = app.configuration().place(field)
    if not place.startswith(str(path)):
        click.echo(f"ccod: it has no effect, for this is stronger: {place}", err=True)


@config.command()
@click.argument("name")
@pass_app
def unset(app: App, name: str) -> None:
    """Remove one value from conf.d/local.toml.

    Example: ccod config unset http.port
    """
    from ccod.configuration import find
    from ccod.local import LocalFile

    field = find(name, app.manager().schemas())
    configuration = app.configuration()
    if not LocalFile(configuration.local_file).unset(field.path):
        place = configuration.place(field)
        raise RefusedError(f"{name} is not set in {configuration.local_file}; it comes from: {place}")
    place = app.configuration().place(field)
    click.echo(f"{configuration.local_file}: {name} is unset, it comes from: {place}; {_when(live=field.live)}")


@config.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@pass_app
def path(app: App, as_json: bool) -> None:
    """List the files that are read where they exist, the weakest first.

    Example: ccod config path
    """
    configuration = app.configuration()
    files = [*configuration.candidates(), configuration.file.parent / ".env"]
    if configuration.local_file not in files:
        files.insert(-1, configuration.local_file)
    if as_json:
        found = [{"path": str(file), "exists": file.exists()} for file in files]
        click.echo(json.dumps({"schemaVersion": 1, "files": found}))
        return
    for file in files:
        click.echo(f"{'read  ' if file.exists() else 'absent'}  {file}")


@config.command()
@pass_app
def schema(app: App) -> None:
    """Print the JSON Schema of the configuration file, for editors.

    Example: ccod config schema > ccod.schema.json
    """
    from ccod.jsonschema import json_schema

    click.echo(json.dumps(json_schema(app.manager().schemas()), indent=2))


def _as_toml(value: object) -> Any:
    """Return a value as TOML knows it, which has no null."""
    import msgspec

    return _without_none(msgspec.to_builtins(value))


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_none(inner) for key, inner in value.items() if inner is not None}
    return value


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).isdigit()


def _when(*, live: bool) -> str:
    return "`ccod reload` applies it" if live else "restart ccod to apply it"
