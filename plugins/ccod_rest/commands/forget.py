"""`ccod forget`."""

from __future__ import annotations

from collections.abc import Callable

import click

from ccod import Settings
from ccod_http.printing import printable


def forget_command(settings: Callable[[], Settings]) -> click.Command:
    @click.command()
    @click.argument("id_", metavar="CONVERSATION|PROJECT")
    @click.option("--yes", is_flag=True, help="Do not ask.")
    def forget(id_: str, yes: bool) -> None:
        """Remove a conversation, or a project with all of its conversations, for ever. No transcript is touched.

        Example: ccod forget 0b1e2f3a-4c5d-4e6f-8a9b-0c1d2e3f4a5b
        """
        from urllib.parse import quote

        from ccod_http.client import RefusedError, get, send

        chosen, name = settings(), quote(id_, safe="")
        path = f"/api/conversations/{name}"
        try:
            found = get(chosen, path)
            what = f"conversation {id_}, {found['title']!r}, of {found['messageCount']} messages"
        except RefusedError as error:
            if error.status != 404:
                raise
            path = f"/api/projects/{name}"
            found = get(chosen, path)
            what = f"project {found['name']!r} and its {found['conversationCount']} conversations"
        if not yes:
            click.confirm(printable(f"Forget {what}? This cannot be undone."), abort=True)
        send(chosen, "DELETE", path)
        click.echo(printable(f"forgot {what}"))

    return forget
