"""`ccod sessions`."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Any, get_args

import click

from ccod import Settings, State
from ccod_http.columns import Column, print_table
from ccod_http.printing import ago, dollars, first_line, print_json, say_none
from ccod_rest.commands.options import Name, json_option, project_id, project_option, since_option, until_option

SHORT = 8
"""So much of an id is enough for `ccod show`."""

COLUMNS = (
    Column("id"),
    Column("updated", drop=1),
    Column("project", drop=2),
    Column("state", drop=3),
    Column("messages", drop=5),
    Column("cost", drop=4),
    Column("title", least=12),
)


def sessions_command(settings: Callable[[], Settings]) -> click.Command:
    @click.command()
    @project_option
    @since_option
    @until_option
    @click.option("--state", type=click.Choice(get_args(State)), help="Only those in this state.")
    @click.option("--model", type=Name(), metavar="NAME", help="Only those at which this model was last at work.")
    @click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="How many.")
    @json_option
    def sessions(
        project: str | None, since: str | None, until: str | None, limit: int, as_json: bool, **asked: str | None
    ) -> None:
        """List conversations, the one that went on last first.

        Example: ccod sessions --project shop --since 20260101
        """
        from ccod_http.client import pages

        chosen = settings()
        query = {"projectId": project_id(chosen, project), "startDate": since, "endDate": until} | asked
        found = [*islice(pages(chosen, "/api/conversations", limit=min(limit, 100), **query), limit)]
        if as_json:
            print_json(conversations=found)
        elif found:
            print_table(COLUMNS, map(_cells, found), heads=False)
        else:
            say_none("are no conversations", narrowed=any(query.values()))

    return sessions


def _cells(each: Any) -> list[str]:
    return [
        each["id"][:SHORT],
        ago(each["updatedAt"]),
        each["projectName"] or "-",
        each["state"],
        f"{each['messageCount']:,} messages",
        dollars(each),
        first_line(each["title"]),
    ]
