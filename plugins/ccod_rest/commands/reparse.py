"""`ccod reparse`."""

from __future__ import annotations

from collections.abc import Callable

import click

from ccod import Settings
from ccod_rest.commands.options import Name, conversation_id


def reparse_command(settings: Callable[[], Settings]) -> click.Command:
    @click.command()
    @click.option("--conversation", type=Name(), metavar="ID", help="Only this conversation.")
    @click.option("--since", metavar="VERSION", help="Only what a parser of this version or a later one understood.")
    def reparse(conversation: str | None, since: str | None) -> None:
        """Derive everything from the archive again, in the background.

        Example: ccod reparse --since 2
        """
        from urllib.parse import urlencode

        from ccod_http.client import send

        chosen = settings()
        one = None if conversation is None else conversation_id(chosen, conversation)
        wanted = {"conversation": one, "since": since}
        parameters = urlencode({name: value for name, value in wanted.items() if value is not None})
        count = send(chosen, "POST", f"/api/reparse?{parameters}")["conversations"]
        click.echo(
            f"{count} conversation{'' if count == 1 else 's'} to derive again; `ccod status` shows how far it is"
        )

    return reparse
