"""`ccod export`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from itertools import chain
from pathlib import Path

import click

from ccod import CcodError, Settings
from ccod_http.printing import printable
from ccod_rest.commands.options import Name, conversation_argument, conversation_id


def export_command(settings: Callable[[], Settings]) -> click.Command:
    @click.command()
    @conversation_argument
    @click.option("--format", type=click.Choice(["jsonl", "json", "md", "html"]), default="md", show_default=True)
    @click.option("--output", type=click.Path(path_type=Path), help="File to write, instead of standard output.")
    @click.option("--agent", type=Name(), metavar="ID", help="Write one subagent alone.")
    @click.option("--reveal", is_flag=True, help="Leave secrets as they are.")
    def export(conversation: str, format: str, agent: str | None, output: Path | None, reveal: bool) -> None:  # noqa: A002
        """Write CONVERSATION as a file, with secrets masked; as jsonl without its subagents.

        CONVERSATION is an id, the beginning of one, or `latest`.

        Example: ccod export latest --format html --output talk.html
        """
        from urllib.parse import quote

        from ccod_http.client import stream

        chosen = settings()
        path = f"/api/conversations/{quote(conversation_id(chosen, conversation), safe='')}/export"
        portions = stream(chosen, path, format=format, agent=agent, reveal=reveal or None)
        if output is not None:
            _write(output, portions)
        else:
            _print(portions)

    return export


def _write(path: Path, portions: Iterable[bytes]) -> None:
    """Write a new file for the owner's eyes only; what could not be written in full is taken away again."""
    waiting = iter(portions)
    first = next(waiting, b"")  # a refusal comes before there is a file
    try:
        file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb")
    except OSError as error:
        raise CcodError(f"{path}: {error.strerror}; name another file with --output") from error
    with file:
        try:
            for portion in chain([first], waiting):
                file.write(portion)
        except BaseException:
            path.unlink(missing_ok=True)
            raise


def _print(portions: Iterable[bytes]) -> None:
    """Print what came; a terminal gets no character that it might obey."""
    if not sys.stdout.isatty():
        for portion in portions:
            sys.stdout.buffer.write(portion)
        sys.stdout.buffer.flush()
        return
    for line in b"".join(portions).decode(errors="replace").splitlines():
        click.echo(printable(line))
