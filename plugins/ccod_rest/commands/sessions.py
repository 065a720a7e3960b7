"""`ccod sessions`."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, get_args

import click

from ccod import Settings, State
from ccod_http.printing import ago, dollars, first_line, print_json, printable
from ccod_rest.commands.options import json_option, project_id, project_option, since_option, until_option

SHORT = 8
"""So much of an id is enough for `ccod show`."""


def sessions_command(settings: Callable[[], Settings]) -> click.Command:
    @click.command()
    @project_option
    @since_option
    @until_option
    @click.option("--state", type=click.Choice(get_args(State)), help="Only those in this state.")
    @click.option("--model", metavar="NAME", help="Only those at which this model was last at work.")
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
        else:
            for line in _lines(found):
                click.echo(line)
            if not found:
                click.echo("there are none", err=True)

    return sessions


def _lines(found: Sequence[Any]) -> Iterator[str]:
    """Yield a line for each; on a terminal, no longer than its width."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    rows = [[printable(cell) for cell in _cells(each)] for each in found]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for *cells, title in rows:
        line = "  ".join([*(cell.ljust(size) for cell, size in zip(cells, widths, strict=False)), title])
        yield line if width is None or len(line) <= width else f"{line[: width - 1]}…"


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
