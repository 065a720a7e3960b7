"""The options that several commands take, and what they mean by a project or a conversation."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import click

from ccod import CcodError, Settings
from ccod_http.printing import printable

LATEST = "latest"
SHOWN = 10
"""So many of several that may be meant are named."""


class Moment(click.ParamType):  # type: ignore[type-arg]  # generic in newer versions alone
    """A date or time as the API takes it; also a date without dashes, such as 20260131."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        compact = re.fullmatch(r"([12][0-9]{3})([01][0-9])([0-3][0-9])", value)
        time = "-".join(compact.groups()) if compact else str(value)
        try:
            if time.isascii() and time.isdigit():
                datetime.fromtimestamp(int(time) / 1000, UTC)
            else:
                datetime.fromisoformat(time)
        except (ValueError, OverflowError, OSError):
            self.fail(f"{value!r} is no time; write 2026-01-31, 20260131 or 2026-01-31T12:00:00Z.", param, ctx)
        return time


class Zone(click.ParamType):  # type: ignore[type-arg]  # generic in newer versions alone
    """A time zone by its name."""

    name = "zone"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from zoneinfo import ZoneInfo

        try:
            return str(ZoneInfo(value))
        except (LookupError, ValueError, OSError):
            self.fail(f"{value!r} is no time zone; write a name such as Europe/Berlin, or UTC.", param, ctx)


class Name(click.ParamType):  # type: ignore[type-arg]  # generic in newer versions alone
    """An id, name or beginning of one, which nothing cannot be."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not str(value).strip():
            self.fail("it is empty.", param, ctx)
        return str(value)


conversation_argument = click.argument("conversation", type=Name())
since_option = click.option("--since", type=Moment(), metavar="TIME", help="Only from this date or time on.")
until_option = click.option("--until", type=Moment(), metavar="TIME", help="Only up to this date or time.")
project_option = click.option("--project", type=Name(), metavar="NAME|ID", help="Only conversations of this project.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


def project_id(settings: Settings, wanted: str | None) -> str | None:
    """Return the id of the project of this id or name. Raises CcodError where there is none, or several."""
    from ccod_http.client import get

    if wanted is None:
        return None
    found = _there(settings, "/api/projects", wanted) or get(settings, "/api/projects", name=wanted, limit=SHOWN)
    if len(found) != 1:
        ids = ", ".join(each["id"] for each in found)
        problem = f"several projects are called {wanted!r}; name one by its id: {ids}"
        raise CcodError(printable(problem if found else f"there is no project {wanted!r}; `ccod sessions` names them"))
    return str(found[0]["id"])


def conversation_id(settings: Settings, wanted: str) -> str:
    """Return the id that `wanted` is, or begins, or that of the conversation that went on last. Raises CcodError."""
    from ccod_http.client import get

    path = "/api/conversations"
    if wanted == LATEST:
        found = get(settings, path, limit=1)
    else:
        found = _there(settings, path, wanted) or get(settings, path, idPrefix=wanted, limit=SHOWN)
    if len(found) != 1:
        problem = f"several conversations begin with {wanted!r}: {', '.join(each['id'] for each in found)}"
        raise CcodError(printable(problem if found else f"there is no conversation {wanted!r}; see `ccod sessions`"))
    return str(found[0]["id"])


def _there(settings: Settings, path: str, id_: str) -> list[Any]:
    """Return the item of a list that has this id, if there is one."""
    from ccod_http.client import RefusedError, get

    try:
        return [get(settings, f"{path}/{quote(id_, safe='')}")]
    except RefusedError as error:
        if error.status != 404:
            raise
        return []
