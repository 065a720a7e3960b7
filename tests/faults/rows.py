"""A look into the database of a daemon, which may be running."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any


def rows(database: Path, query: str, *values: Any) -> list[tuple[Any, ...]]:
    """Return what a query finds."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        return connection.execute(query, values).fetchall()
