"""How commands ask for lists and print them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any

from ccod import Settings


def everything(settings: Settings, path: str) -> list[dict[str, Any]]:
    """Return all items of a list, whatever its number of pages."""
    from ccod_http.client import get

    found: list[dict[str, Any]] = []
    for page in count(1):
        items = get(settings, path, page=page, limit=100)
        found += items
        if len(items) < 100:
            break
    return found


def print_table(items: Sequence[dict[str, Any]], **columns: str) -> None:
    """Print items one to a line; `columns` are the heads of what is shown of each."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from ccod_http.printing import printable

    table = Table(box=None, pad_edge=False)
    for name, head in columns.items():
        table.add_column(head, overflow="fold", no_wrap=name == "id")
    for item in items:
        table.add_row(*(Text(printable(_shown(name, item[name]))) for name in columns))
    Console().print(table)


def _shown(name: str, value: Any) -> str:
    """Write a value for a person; a time without its seconds."""
    if value is None:
        return "-"
    if name.endswith("At"):
        return str(value)[:16].replace("T", " ")
    return " ".join(value) if isinstance(value, list) else str(value)
