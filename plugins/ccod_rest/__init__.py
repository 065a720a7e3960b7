"""Projects, conversations, messages and health over REST."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING

from ccod import hookimpl
from ccod_rest import hookspecs

if TYPE_CHECKING:
    import click
    import quart

    from ccod import Commands, Finding, Hooks, Observatory, Settings

COMMANDS = ("audit", "export", "forget", "reload", "reparse", "restore", "search", "sessions", "show", "usage")


@hookimpl
def ccod_add_hooks(manager: Hooks) -> None:
    manager.add_hookspecs(hookspecs)


@hookimpl
def ccod_commands(cli: Commands, settings: Callable[[], Settings]) -> None:
    for name in COMMANDS:
        cli.add_later(name, partial(_command, name, settings))


def _command(name: str, settings: Callable[[], Settings]) -> click.Command:
    module = import_module(f"ccod_rest.commands.{name}")
    command: click.Command = getattr(module, f"{name}_command")(settings)
    return command


@hookimpl
def ccod_checks(settings: Settings) -> Iterable[Finding]:
    from ccod_rest.checks import findings

    return findings(settings)


@hookimpl(optionalhook=True)
def ccod_http_blueprints(settings: Settings, observatory: Observatory) -> Iterable[quart.Blueprint]:
    from ccod_rest.archive import archive_routes
    from ccod_rest.attachments import attachment_routes
    from ccod_rest.audit import audit_routes
    from ccod_rest.conversations import conversation_routes
    from ccod_rest.entries import entry_routes
    from ccod_rest.export import export_routes
    from ccod_rest.extras import gathered
    from ccod_rest.health import health_routes
    from ccod_rest.keeping import keeping_routes
    from ccod_rest.liveness import liveness_routes
    from ccod_rest.overview import overview_routes
    from ccod_rest.plugins import plugin_routes
    from ccod_rest.projects import project_routes
    from ccod_rest.quarantine import quarantine_routes
    from ccod_rest.reloading import reload_routes
    from ccod_rest.search import search_routes
    from ccod_rest.spending import spending_routes
    from ccod_rest.streams import stream_routes
    from ccod_rest.subagents import subagent_routes
    from ccod_rest.tool_calls import tool_call_routes
    from ccod_rest.tree import tree_routes
    from ccod_rest.usage import usage_routes

    return [
        project_routes(observatory),
        conversation_routes(observatory),
        health_routes(observatory),
        liveness_routes(),
        archive_routes(observatory),
        stream_routes(observatory),
        keeping_routes(observatory),
        reload_routes(observatory),
        quarantine_routes(observatory),
        usage_routes(observatory, gathered(settings, observatory)),
        overview_routes(observatory),
        spending_routes(observatory),
        plugin_routes(observatory),
        search_routes(observatory),
        export_routes(observatory),
        tool_call_routes(observatory),
        subagent_routes(observatory),
        tree_routes(observatory),
        entry_routes(observatory),
        attachment_routes(observatory),
        audit_routes(observatory),
    ]
