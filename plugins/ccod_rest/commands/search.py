"""`ccod search`."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from typing import Any

import click

from ccod import Settings
from ccod_http.printing import print_json, printable
from ccod_rest.commands.options import Moment, Name

HELP = """Find messages that hold all WORDS, the newest first.

WORDS are what the API takes as `q`: words, "exact phrases" in double quotes, which the shell must leave to ccod, and
filters. Exit code 1 says that nothing was found.

Example: ccod search '"connection refused" tool:Bash since:2026-01-01'
"""


def search_command(settings: Callable[[], Settings]) -> click.Command:
    @click.command(help=HELP)
    @click.argument("words", nargs=-1, required=True)
    @click.option("--project", type=Name(), metavar="TEXT", help="Id or name of a project.")
    @click.option("--tool", type=Name(), metavar="TEXT", help="Name of a tool that is called or answers.")
    @click.option("--role", type=click.Choice(["user", "assistant"]))
    @click.option("--model", type=Name(), metavar="TEXT", help="A part of a model's name.")
    @click.option("--error/--no-error", default=None, help="Only failures, or only what is none.")
    @click.option("--since", type=Moment(), metavar="TIME", help="Leave out what was said before this date or time.")
    @click.option("--until", type=Moment(), metavar="TIME", help="Leave out what was said after this date or time.")
    @click.option("--ranked", is_flag=True, help="The best of the newest matches first.")
    @click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True, help="How many.")
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
    @click.pass_context
    def search(
        context: click.Context, /, words: tuple[str, ...], ranked: bool, as_json: bool, **parameters: str | int | None
    ) -> None:
        found = _found(settings(), q=" ".join(words), sort="rank" if ranked else None, **parameters)
        if found["indexed"] < 1:
            click.echo(f"the index holds {int(100 * found['indexed'])} % so far", err=True)
        if as_json:
            print_json(**found)
        for hit in () if as_json else found["hits"]:
            click.echo(_lines(hit), color=False if os.environ.get("NO_COLOR") else None)
        if not found["hits"]:
            click.echo("nothing found", err=True)
            context.exit(1)

    return search


def _found(settings: Settings, **query: str | int | None) -> Any:
    """Search on where the daemon, which bounds the work of one answer, found nothing yet."""
    from ccod_http.client import RefusedError, get

    try:
        found = get(settings, "/api/search", **query)
        while not found["hits"] and found["nextCursor"]:
            found = get(settings, "/api/search", **query, cursor=found["nextCursor"])
    except RefusedError as error:
        if error.code == "VALIDATION_FAILED":
            raise click.UsageError(str(error)) from None
        raise
    return found


def _lines(hit: dict[str, Any]) -> str:
    by = hit["tool"] or hit["role"]
    where = f"{hit['timestamp'][:16].replace('T', ' ')}  {hit['projectName'] or '-'}  {hit['conversationId']}  {by}"
    return f"{printable(where)}\n    {''.join(_coloured(**hit['snippet'])).strip()}"


def _coloured(text: str, matches: list[dict[str, int]]) -> Iterator[str]:
    """Yield the parts of a snippet; where it does not go to a terminal, click takes the colour away."""
    done = 0
    for match in matches:
        start, end = match["start"], match["start"] + match["length"]
        yield _shown(text[done:start])
        yield click.style(_shown(text[start:end]), fg="red", bold=True)
        done = end
    yield _shown(text[done:])


def _shown(text: str) -> str:
    return printable(re.sub(r"\s+", " ", text))
