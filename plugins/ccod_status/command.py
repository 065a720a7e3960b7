"""`ccod status`, where `quick` does not answer: over TCP, and with options that say where the configuration is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from ccod import Settings
from ccod_http.printing import print_json, printable
from ccod_status.lines import exit_code, lines, local_zone


def status_command(settings: Callable[[], Settings]) -> click.Command:
    @click.command()
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
    @click.pass_context
    def status(context: click.Context, as_json: bool) -> None:
        """Show on one screen how the daemon is, what it has stored, and what goes on now.

        Exit code 0: it is well. 1: it runs, and a part of it is not well. 69: no daemon answers.

        Example: ccod status --json
        """
        found = _found(settings(), local_zone())
        if as_json:
            print_json(status=found)
        else:
            for line in lines(found):
                click.echo(line)
        context.exit(exit_code(found))

    return status


def _found(settings: Settings, zone: str) -> Any:
    """Return the status, for days of UTC where the daemon knows no such zone: the variable TZ is odd then."""
    from ccod_http.client import WrongRequestError, get

    try:
        return get(settings, "/api/status", timezone=zone)
    except WrongRequestError:
        click.echo(f"TZ: {printable(zone)!r} is no time zone such as Europe/Berlin; today is that of UTC", err=True)
        return get(settings, "/api/status", timezone="UTC")
