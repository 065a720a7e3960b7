"""How commands print what others wrote. Other plugins may use it too."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import click

SPOKEN_INPUTS = ("command", "file_path", "path", "pattern", "query", "url", "description", "prompt")


def printable(text: str) -> str:
    """Make visible whatever a terminal might obey instead of show."""
    return "".join(char if char.isprintable() else _escape(char) for char in text)


def print_json(**members: Any) -> None:
    """Print one JSON object."""
    click.echo(json.dumps({"schemaVersion": 1} | members))


def spoken_input(arguments: Any) -> str:
    """Return the argument of a tool call that tells most of it."""
    if not isinstance(arguments, dict):
        return ""
    named = [arguments[key] for key in SPOKEN_INPUTS if key in arguments]
    return next((first_line(value) for value in [*named, *arguments.values()] if isinstance(value, str)), "")


def spoken_seconds(seconds: float) -> str:
    """Return a duration such as `0.3 s`, `12 s` or `1:02:03`."""
    if seconds < 10:
        return f"{max(seconds, 0):.1f} s"
    return f"{seconds:.0f} s" if seconds < 60 else str(timedelta(seconds=round(seconds)))


def first_line(text: str) -> str:
    """Return the first line that is not blank."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "")


def ago(timestamp: str, now: datetime | None = None) -> str:
    """Return how long ago a time was, or its date where that is long ago."""
    moment = datetime.fromisoformat(timestamp)
    seconds = ((now or datetime.now(UTC)) - moment).total_seconds()
    for most, size, unit in ((60, 1, "s"), (3600, 60, "min"), (86400, 3600, "h"), (7 * 86400, 86400, "d")):
        if seconds < most:
            return f"{max(0, int(seconds // size))} {unit} ago"
    return moment.astimezone().strftime("%Y-%m-%d")


def dollars(costs: dict[str, Any]) -> str:
    """Return the cost that some JSON holds as `costUsd`, for reading."""
    return "no price" if costs["costUsd"] is None else f"${costs['costUsd']:,.2f}"


def say_none(what: str, *, narrowed: object = False) -> None:
    """Say on stderr what there is none of, such as `are no API keys`: `narrowed` by options, or at all."""
    click.echo(f"there {what} {'like that' if narrowed else 'yet'}", err=True)


def _escape(char: str) -> str:
    return " " if char.isspace() else char.encode("unicode_escape").decode()
