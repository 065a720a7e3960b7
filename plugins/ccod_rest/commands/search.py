"""`ccod search`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from ccod import Settings
from ccod_rest.commands.printing import print_json, printable


def search_command(settings: Callable[[], Settings]) -> click.Command:
    @click.command()
    @click.argument("words", nargs=-1, required=True)
    @click.option("--project", help="Id or name of a project.")
    @click.option("--tool", help="Name of a tool that is called or answers.")
    @click.option("--role", type=click.Choice(["user", "assistant"]))
    @click.option("--since", metavar="TIME", help="Leave out what was said before this date or time.")
    @click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True)
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
    def search(words: tuple[str, ...], limit: int, as_json: bool, **filters: str | None) -> None:
        """Find messages that hold all WORDS, the newest first."""
        from ccod_rest.client import get

        found = get(settings(), "/api/search", q=" ".join(map(_typed, words)), limit=limit, **filters)
        if as_json:
            print_json(**found)
            return
        for hit in found["hits"]:
            click.echo(_line(hit))

    return search


def _typed(word: str) -> str:
    """An argument that holds a space is a phrase, as the shell's quotes said."""
    return f'"{word}"' if " " in word and '"' not in word else word


def _line(hit: dict[str, Any]) -> str:
    by = hit["tool"] or hit["role"]
    where = f"{hit['timestamp'][:16].replace('T', ' ')}  {hit['projectName'] or '-'}  {hit['conversationId']}  {by}"
    return f"{printable(where)}\n    {printable(' '.join(hit['snippet']['text'].split()))}"
