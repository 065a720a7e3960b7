"""`ccod doctor`: what is wrong, and the command that mends it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import click

from ccod.app import App, pass_app
from ccod.errors import CcodError, ConfigError

if TYPE_CHECKING:
    from ccod.checks import Finding
    from ccod.settings import Settings

HELP = """Look for what is wrong with ccod, whether the daemon runs or not, and name the command that mends it.

Each finding has a code, by which docs/troubleshooting.md explains it. Exit code 1: there is a problem; warnings alone
leave it at 0.

Example: ccod doctor --json
"""
CORRECT = "correct that where it is written; `ccod config check` tells when all is right"
MARKS = {"ok": ("ok", "green"), "warning": ("warning", "yellow"), "problem": ("problem", "red")}
WORST_FIRST = ("problem", "warning", "ok")

Found = tuple[str, "Finding"]
"""The name of the plugin that looked, empty for the core, and what it found."""


def doctor_command(more: Callable[[], Iterable[Finding]]) -> click.Command:
    """Return the command; `more` finds what concerns no plugin."""

    @click.command(help=HELP)
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
    @click.option("--all", "everything", is_flag=True, help="Also what is well.")
    @pass_app
    @click.pass_context
    def doctor(context: click.Context, app: App, *, as_json: bool, everything: bool) -> None:
        found = [*_configured(app), *(("", finding) for finding in more()), *_checked(app)]
        worst = next((state for state in WORST_FIRST if any(f.state == state for _, f in found)), "ok")
        if as_json:
            findings = [_as_json(plugin, finding) for plugin, finding in found]
            click.echo(json.dumps({"schemaVersion": 1, "state": worst, "findings": findings}))
        else:
            _print(found, everything=everything)
        context.exit(1 if worst == "problem" else 0)

    return doctor


def _configured(app: App) -> Iterator[Found]:
    """Yield whether the configuration is right, and the plugins can be loaded."""
    from ccod.checks import Finding

    try:
        configuration, manager = app.configuration(), app.manager()
        schemas = manager.schemas()
        problems = list(configuration.problems(schemas, _absent(app)))
        problems = problems or list(configuration.faults(_settings(app), schemas))
        if not problems and not any(plugin.state == "failed" for plugin in manager.plugins):
            manager.require_roles(app.settings())
    except CcodError as error:
        yield "", Finding("configuration", "problem", str(error), CORRECT)
        return
    for problem in problems:
        yield "", Finding("configuration", "problem", str(problem), CORRECT)
    if not problems:
        files = ", ".join(str(layer.path) for layer in configuration.files)
        yield "", Finding("configuration", "ok", files or "no file is there; all is default or from elsewhere")
    failed = [plugin for plugin in manager.plugins if plugin.state == "failed"]
    for plugin in failed:
        yield "", Finding("plugins", "problem", plugin.error, manager.without(plugin.name, configuration.core()))
    for name, why in manager.left_out.items():
        yield "", Finding("plugins", "problem", f"plugin {name!r} is left out: {why}", f"ccod plugins allow {name}")
    if not failed and not manager.left_out:
        disabled = ", ".join(plugin.name for plugin in manager.plugins if plugin.state == "disabled")
        without = f"; left out are {disabled}" if disabled else ""
        yield "", Finding("plugins", "ok", f"{len(manager.plugins)} are found, and all can be loaded{without}")


def _checked(app: App) -> Iterator[Found]:
    """Yield what the plugins find; nothing while the configuration is wrong, which is what to mend first."""
    try:
        settings = _settings(app)
    except ConfigError:
        return
    yield from app.manager().checks(settings)


def _settings(app: App) -> Settings:
    """Return the settings of those plugins that can be loaded."""
    return app.configuration().settings(app.manager().schemas(), absent=_absent(app))


def _absent(app: App) -> list[str]:
    failed = [plugin.name for plugin in app.manager().plugins if plugin.state == "failed"]
    return [*app.configuration().core().disable, *failed]


def _as_json(plugin: str, finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "state": finding.state,
        "plugin": plugin or None,
        "text": finding.text,
        "fix": finding.fix or None,
    }


def _print(found: list[Found], *, everything: bool) -> None:
    for state in WORST_FIRST:
        for _, finding in found:
            if finding.state == state and (everything or state != "ok"):
                word, colour = MARKS[state]
                click.echo(f"{click.style(f'{word:<8}', fg=colour)} {finding.code}: {_printable(finding.text)}")
                if finding.fix:
                    click.echo(f"         → {_printable(finding.fix)}")
    well = sum(finding.state == "ok" for _, finding in found)
    click.echo(f"{well} of {len(found)} things that were looked at are well")


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)
