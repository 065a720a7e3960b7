"""`ccod forget`."""

from __future__ import annotations

from collections.abc import Callable

import click

from ccod import CcodError, Settings
from ccod_http.printing import printable
from ccod_rest.commands.options import Name


def forget_command(settings: Callable[[], Settings]) -> click.Command:
    @click.command()
    @click.argument("id_", type=Name(), metavar="CONVERSATION|PROJECT")
    @click.option("--yes", is_flag=True, help="Do not ask.")
    def forget(id_: str, yes: bool) -> None:
        """Remove a conversation, or a project with all of its conversations, for ever. No transcript is touched.

        Example: ccod forget 0b1e2f3a-4c5d-4e6f-8a9b-0c1d2e3f4a5b
        """
        from ccod_http.client import send

        chosen = settings()
        path, what = _found(chosen, id_)
        if not yes:
            click.confirm(printable(f"Forget {what}? This cannot be undone."), abort=True)
        send(chosen, "DELETE", path)
        click.echo(printable(f"forgot {what}"))

    return forget


def _found(settings: Settings, id_: str) -> tuple[str, str]:
    """Return the path of the conversation or project of this id, and what it is. Raises CcodError where none is."""
    from urllib.parse import quote

    from ccod_http.client import RefusedError, get

    name = quote(id_, safe="")
    for path in (f"/api/conversations/{name}", f"/api/projects/{name}"):
        try:
            found = get(settings, path)
        except RefusedError as error:
            if error.status != 404:
                raise
            continue
        if "title" in found:
            return path, f"conversation {id_}, {found['title']!r}, of {found['messageCount']} messages"
        return path, f"project {found['name']!r} and its {found['conversationCount']} conversations"
    problem = f"there is no conversation or project with the id {id_!r}, which must be whole"
    raise CcodError(printable(f"{problem}; `ccod sessions --json` has all ids"))
