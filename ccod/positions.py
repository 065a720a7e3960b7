"""Where in a TOML text each key stands: the standard library's parser does not tell."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

LONGEST_STATEMENT = 500
DEEPEST = 16

Path = tuple[str, ...]


def positions(text: str) -> dict[Path, int]:
    """Return the line, from 1, on which each table and key of a valid text begins.

    A statement ends where what was read since the last one is valid by itself. One of more than LONGEST_STATEMENT
    lines ends the search: what follows it has no position.
    """
    found: dict[Path, int] = {}
    table: Path = ()
    statement, start = "", 1
    for number, line in enumerate(text.split("\n"), 1):
        statement += line + "\n"
        tree = _parsed(statement)
        if tree is None and number - start < LONGEST_STATEMENT:
            continue
        if tree is None:
            break
        is_header = statement.lstrip().startswith("[")
        base = () if is_header else table
        for path in _paths(tree):
            found.setdefault((*base, *path), start)
            if is_header:
                table = path
        statement, start = "", number + 1
    return found


def stumbling_block(text: str) -> int | None:
    """Return the line of the statement over which the parser fell without naming its place: it is too large or deep."""
    statement, start = "", 1
    for number, line in enumerate(text.split("\n"), 1):
        statement += line + "\n"
        try:
            tomllib.loads(statement)
        except tomllib.TOMLDecodeError:
            if number - start >= LONGEST_STATEMENT:
                return None
        except (ValueError, RecursionError):
            return start
        else:
            statement, start = "", number + 1
    return None


def _parsed(statement: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(statement)
    except (ValueError, RecursionError):
        return None


def _paths(tree: Mapping[str, Any], depth: int = DEEPEST) -> Iterator[Path]:
    for key, value in tree.items():
        yield (key,)
        inner = value[0] if isinstance(value, list) and value else value
        if isinstance(inner, dict) and depth:
            yield from ((key, *path) for path in _paths(inner, depth - 1))
