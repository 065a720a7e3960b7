"""`ccod reload`."""

from __future__ import annotations

from collections.abc import Callable

import click

from ccod import ConfigError, Settings


def reload_command(settings: Callable[[], Settings]) -> click.Command:
    @click.command()
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
    def reload(as_json: bool) -> None:
        """Let the daemon read its settings again. When they are wrong it keeps those that it has.

        Example: ccod reload
        """
        import json

        from ccod_http.client import RefusedError, send

        try:
            reloaded = send(settings(), "POST", "/api/reload")
        except RefusedError as error:
            raise (ConfigError(str(error)) if error.code == "SETTINGS_WRONG" else error) from error
        if as_json:
            click.echo(json.dumps({"schemaVersion": 1, **reloaded}))
            return
        if not (reloaded["applied"] or reloaded["restart"]):
            click.echo("Nothing changed.")
        for word, names in (("Applied", reloaded["applied"]), ("Restart ccod to apply", reloaded["restart"])):
            if names:
                click.echo(f"{word}: {', '.join(names)}")

    return reload
