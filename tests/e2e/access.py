"""The table of docs/api.md that says who may ask for what: the one that tests hold the daemon to."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

API = Path(__file__).parents[2] / "docs" / "api.md"
_ROW = re.compile(r"^\| (GET|POST|PUT|PATCH|DELETE|WEBSOCKET) \| `(/[^`]*)` \| (\w+) \|$", re.MULTILINE)


class Declared(NamedTuple):
    path: str
    method: str
    access: str


def documented() -> set[Declared]:
    """Return the rows of the table."""
    return {Declared(path, method, access) for method, path, access in _ROW.findall(API.read_text())}


def served(document: dict[str, Any]) -> set[Declared]:
    """Return the same from the OpenAPI document of a running daemon."""
    return {
        Declared(path, "WEBSOCKET" if "101" in operation["responses"] else method.upper(), operation["x-access"])
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }
