"""`ccod tail`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import quote

import click

from ccod import CcodError, Settings
from ccod_http.printing import printable


def tail_command(settings: Callable[[], Settings]) -> click.Command:
    @click.command()
    @click.option("--json", "as_json", is_flag=True, help="Print each event as one line of JSON.")
    @click.option("--project", help="Only of this project, by name or id.")
    @click.option("--conversation", help="Only of this conversation, by id.")
    @click.option("--since", help="Begin after this seq, or at this time, such as 2026-01-31T12:00:00Z.")
    def tail(as_json: bool, project: str | None, conversation: str | None, since: str | None) -> None:
        """Print what happens in conversations and their subagents, as it happens.

        When the daemon stops, wait until it is back, and go on where it was.

        Example: ccod tail --project shop --since 2026-01-31T12:00:00Z
        """
        import trio

        from ccod_http.web import HttpSettings
        from ccod_ws.lines import EVENTS, JsonLines, Lines
        from ccod_ws.tail import Show, Tail, Wish, WishError

        for name, value in (("--project", project), ("--conversation", conversation), ("--since", since)):
            if value is not None and not value.strip():
                raise click.BadParameter("it is empty.", param_hint=f"'{name}'")
        mine = settings()
        place = int(since) if since is not None and since.isascii() and since.isdigit() else since
        show: Show = JsonLines() if as_json else Lines(_asking(mine))
        wish = Wish(
            projects=[_project(mine, project)] if project else (),
            conversations=[_conversation(mine, conversation)] if conversation else (),
            types=() if as_json else EVENTS,
            since=place,
        )
        try:
            trio.run(Tail(mine[HttpSettings], wish, show).follow)
        except KeyboardInterrupt:
            return
        except WishError as error:
            if place is None or isinstance(place, int):
                raise
            raise click.BadParameter(f"{error}.", param_hint="'--since'") from None

    return tail


def _project(settings: Settings, wanted: str) -> str:
    """Return the id of the project of this id or name."""
    from ccod_http.client import get

    page, found = 1, []
    while items := get(settings, "/api/projects", page=page, limit=100):
        found += [item for item in items if wanted in (item["id"], item["name"])]
        page += 1
    if not found:
        raise CcodError(printable(f"there is no project {wanted!r}; `ccod sessions` names them"))
    if len(found) > 1:
        ids = ", ".join(item["id"] for item in found)
        raise CcodError(printable(f"several projects are called {wanted!r}; name one by its id: {ids}"))
    return str(found[0]["id"])


def _conversation(settings: Settings, wanted: str) -> str:
    """Return the id of the conversation of this id; it is believed where the daemon serves no conversations."""
    if _serves(settings, f"/api/conversations/{quote(wanted, safe='')}") or not _serves(settings, "/api/conversations"):
        return wanted
    problem = f"there is no conversation with the id {wanted!r}, which must be whole"
    raise CcodError(printable(f"{problem}; `ccod sessions --json` has all ids"))


def _serves(settings: Settings, path: str) -> bool:
    from ccod_http.client import RefusedError, get

    try:
        get(settings, path)
    except RefusedError as error:
        if error.status != 404:
            raise
        return False
    return True


def _asking(settings: Settings) -> Callable[[str], Awaitable[str]]:
    """Return what asks the daemon for the name of a conversation's project; where it has no answer, there is none."""
    import trio

    from ccod_http.client import get

    def ask(conversation: str) -> str:
        try:
            return str(get(settings, f"/api/conversations/{quote(conversation, safe='')}")["projectName"])
        except CcodError:
            return ""

    async def project_of(conversation: str) -> str:
        return await trio.to_thread.run_sync(ask, conversation)

    return project_of
