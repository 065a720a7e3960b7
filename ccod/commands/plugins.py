"""`ccod plugins`: which there are, and the beginning of a new one."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ccod.app import App
from ccod.errors import CcodError
from ccod.lasterrors import last_errors
from ccod.past import allow, state_folder

if TYPE_CHECKING:
    from ccod.faults import Plugin
    from ccod.settings import CoreSettings

WIDE = 1000
"""So many characters has a line where no terminal bounds it."""
PLAYED = {
    "ccod_sources": "source",
    "ccod_parsers": "parser",
    "ccod_prices": "prices",
    "ccod_storage": "storage",
    "ccod_auth": "auth",
    "ccod_cache": "cache",
    "ccod_transports": "transport",
    "ccod_sinks": "sink",
}
"""The role that the answer to each hook plays."""
CHOSEN = ("storage", "auth", "cache", "prices")
"""Roles that one plugin plays, which the setting of that name chooses."""


@click.group(invoke_without_command=True)
@click.option("--all", "wants_all", is_flag=True, help="Also those that are disabled or not chosen.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def plugins(ctx: click.Context, wants_all: bool, as_json: bool) -> None:
    """List the plugins, where each comes from, how it is, what it does, and what it did wrong last in the daemon.

    Example: ccod plugins --all
    """
    if ctx.invoked_subcommand is not None:
        return
    app = ctx.ensure_object(App)
    manager = app.manager()
    core = app.configuration().core()
    errors = last_errors(state_folder())
    rows = [_row(plugin, core, errors) for plugin in manager.plugins]
    shown = [row for row in rows if wants_all or row["state"] in {"loaded", "failed"}]
    if as_json:
        click.echo(json.dumps({"schemaVersion": 1, "plugins": shown}))
    else:
        _print_table(shown)
        for row in shown:
            if row["lastError"]:
                click.echo(f"{row['name']}: its last error in the daemon: {row['lastError']}")
        for error in manager.errors[1:]:
            click.echo(f"ccod: {error}", err=True)
    manager.require()


@plugins.command()
@click.argument("name")
@click.option("--role", type=click.Choice([*PLAYED.values()]), required=True, help="What it is to be.")
@click.option("--directory", type=click.Path(path_type=Path), default=Path(), help="Where to make its folder.")
def new(name: str, role: str, directory: Path) -> None:
    """Begin a plugin: a distribution with its tests, which pass at once.

    Example: ccod plugins new bell --role sink
    """
    from ccod.commands.scaffold import write

    folder = write(name, role, directory)
    click.echo(f"{folder}: written. Next:")
    click.echo(f"  cd {folder} && pip install -e '.[test]' && pytest")


@plugins.command("allow")
@click.argument("name")
def allow_(name: str) -> None:
    """Let a plugin in again that is left out because it stopped the daemon; another version of it is by itself.

    Example: ccod plugins allow bell
    """
    if not allow(name, state_folder()):
        raise CcodError(f"no plugin {name!r} is left out for having stopped the daemon; `ccod plugins --all` lists all")
    click.echo(f"{name}: is loaded again at the next start")


def _row(plugin: Plugin, core: CoreSettings, errors: Mapping[str, str]) -> dict[str, object]:
    roles = [PLAYED[hook] for hook in plugin.hooks if hook in PLAYED]
    unchosen = [role for role in roles if role in CHOSEN and getattr(core, role) != plugin.name]
    others = [hook for hook in plugin.hooks if hook != "ccod_settings" and PLAYED.get(hook) not in unchosen]
    state = "not chosen" if plugin.state == "loaded" and unchosen and not others else plugin.state
    return {
        "name": plugin.name,
        "distribution": plugin.distribution,
        "version": plugin.version,
        "state": state,
        "roles": roles,
        "hooks": plugin.hooks,
        "table": plugin.name if "ccod_settings" in plugin.hooks else None,
        "error": plugin.error,
        "lastError": errors.get(plugin.name, ""),
    }


def _print_table(rows: list[dict[str, object]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column in ("name", "distribution", "version", "state", "roles", "settings", "hooks"):
        table.add_column(column, overflow="fold")
    for row in rows:
        settings = f"[{row['table']}]" if row["table"] else ""
        cells = [row["name"], row["distribution"], row["version"], row["state"], row["roles"], settings, row["hooks"]]
        table.add_row(*(", ".join(cell) if isinstance(cell, list) else str(cell) for cell in cells))
    Console(markup=False, width=None if sys.stdout.isatty() else WIDE).print(table)
