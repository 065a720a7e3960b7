"""How commands ask for lists and print them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

from ccod import Settings
from ccod_http.columns import Column, print_table


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


def print_items(items: Sequence[dict[str, Any]], columns: Mapping[str, Column]) -> None:
    """Print items one to a line; `columns` are what is shown of each."""
    print_table([*columns.values()], ([_shown(name, item[name]) for name in columns] for item in items))


def _shown(name: str, value: Any) -> str:
    """Write a value for a person; a time without its seconds."""
    if value is None:
        return "-"
    if name.endswith("At"):
        return str(value)[:16].replace("T", " ")
    return " ".join(value) if isinstance(value, list) else str(value)
