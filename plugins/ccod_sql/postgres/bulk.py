"""Inserts many rows by COPY: the driver makes a message of each row that is inserted, and the server a statement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg import Cursor
from psycopg.sql import SQL, Identifier


def copy_rows(cursor: Cursor[Any], table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """See `ccod_sql.bulk.Bulk`."""
    named = SQL(", ").join(map(Identifier, columns))
    with cursor.copy(SQL("COPY {} ({}) FROM STDIN").format(Identifier(table), named)) as copy:
        for row in rows:
            copy.write_row(row)
