"""How commands print what others wrote. Other plugins may use it too."""

from __future__ import annotations

import json
from typing import Any

import click


def printable(text: str) -> str:
    """Make visible whatever a terminal might obey instead of show."""
    return "".join(char if char.isprintable() else _escape(char) for char in text)


def print_json(**members: Any) -> None:
    """Print one JSON object."""
    click.echo(json.dumps({"schemaVersion": 1} | members))


def _escape(char: str) -> str:
    return " " if char.isspace() else char.encode("unicode_escape").decode()
