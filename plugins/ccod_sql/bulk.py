"""Many new rows at once, where an engine has a way for them that is faster than one row after another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from sqlalchemy import Connection

OPTION = "bulk"
MANY = 16
"""From so many rows on it is faster: it takes some turns more between client and server."""


class Bulk(Protocol):
    def __call__(self, cursor: Any, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Insert rows, none of which is there yet, by a cursor of the driver's."""


def bulk_of(connection: Connection, count: int) -> Bulk | None:
    """Return the way for so many rows, or None where there is none, or it does not pay."""
    found: Bulk | None = connection.get_execution_options().get(OPTION) if count >= MANY else None
    return found
