"""Copies a database of SQLite into an empty one of PostgreSQL, a portion of rows in a transaction.

Rows come in the order of their keys, which is the same on both: what is there already is the beginning, and a copy that
was broken off goes on behind it. At the end each row is read again on both sides and compared, by a checksum a table.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from hashlib import blake2b
from itertools import islice
from typing import Any, cast

import psycopg
from msgspec import Struct
from psycopg.sql import SQL, Composed, Identifier
from sqlalchemy import Table

from ccod import CcodError
from ccod_sql.database import Database
from ccod_sql.events import EPOCH, FILE
from ccod_sql.indexing import KEY as INDEXED
from ccod_sql.postgres.turns import REVISION
from ccod_sql.postgres.words import COPYING, GONE
from ccod_sql.tables import metadata

PORTION_ROWS = 2000
PORTION_BYTES = 16_000_000
OF_ONE_DATABASE = (EPOCH, FILE, INDEXED, GONE, REVISION)
"""Keys of `meta` that do not hold for a copy; the full-text index, whose keys are not copied, fills again."""
TABLES = tuple(table for table in metadata.sorted_tables if table.name != "search_keys")

NEXT = SQL("SELECT setval(pg_get_serial_sequence({}, {}), coalesce(max({}), 1), max({}) IS NOT NULL) FROM {}")

Row = tuple[Any, ...]
Source = sqlite3.Connection
Target = psycopg.Connection[Any]
Tell = Callable[[str, int], None]
"""Is told of a table, and how many rows of it are there."""


class CopyingError(CcodError):
    """The database is not one to copy into, or the copy is not what was copied."""


class Copied(Struct, frozen=True):
    """How many rows there are in all, and the checksum of each table."""

    rows: int
    checksums: dict[str, str]


def copy_into(database: Database, source: Source, tell: Tell) -> Copied:
    """Copy all that is missing, and compare. Nobody else writes to either. Raises CopyingError."""
    with database.opening():
        database.upgrade()
        if not database.is_keeper():
            raise CopyingError("[postgres] url: a daemon or another copy is at work on the database; stop that first")
        connection = database.writer.raw_connection()
        try:
            return _copy(source, cast(Target, connection.driver_connection), tell)
        finally:
            connection.close()


def _copy(source: Source, target: Target, tell: Tell) -> Copied:
    target.execute("SET statement_timeout = 0")
    _begin(source, target)
    for table in TABLES:
        _copy_table(source, target, table, tell)
    _number(source, target)
    found = _compared(source, target)
    target.execute("DELETE FROM meta WHERE key = %s", (COPYING,))
    target.commit()
    target.execute("ANALYZE")
    target.commit()
    return found


def _begin(source: Source, target: Target) -> None:
    """Mark the target, unless that was done. Raises CopyingError for one that holds something else."""
    (epoch,) = source.execute("SELECT value FROM meta WHERE key = ?", (EPOCH,)).fetchone()
    mark = target.execute("SELECT value FROM meta WHERE key = %s", (COPYING,)).fetchone()
    if mark == (epoch,):
        return
    if mark or target.execute("SELECT 1 FROM machines").fetchone():
        raise CopyingError("[postgres] url: the database is not empty; name one of its own, as `createdb` makes it")
    target.execute("INSERT INTO meta (key, value) VALUES (%s, %s)", (COPYING, epoch))
    target.commit()


def _copy_table(source: Source, target: Target, table: Table, tell: Tell) -> None:
    there = _count(target, table)
    columns = SQL(", ").join(Identifier(column.name) for column in table.c)
    statement = SQL("COPY {} ({}) FROM STDIN").format(Identifier(table.name), columns)
    with closing(_rows_of_sqlite(source, table, there)) as missing, closing(_portions(missing)) as portions:
        for portion in portions:
            with target.cursor() as cursor, cursor.copy(statement) as stream:
                for row in portion:
                    stream.write_row(row)
            target.commit()
            there += len(portion)
            tell(table.name, there)


def _portions(rows: Iterable[Row]) -> Generator[list[Row], None, None]:
    """Cut rows so that each part is neither many nor large."""
    portion, size = list[Row](), 0
    for row in rows:
        portion.append(row)
        size += sum(len(value) for value in row if isinstance(value, (str, bytes)))
        if len(portion) == PORTION_ROWS or size > PORTION_BYTES:
            yield portion
            portion, size = [], 0
    if portion:
        yield portion


def _rows_of_sqlite(source: Source, table: Table, after: int = 0) -> Generator[Row, None, None]:
    """Yield rows in the order of their keys, without the first ones."""
    columns, keys = (", ".join(f'"{column.name}"' for column in some) for some in (table.c, table.primary_key))
    where = f" WHERE key NOT IN ({', '.join('?' * len(OF_ONE_DATABASE))})" if table.name == "meta" else ""
    values = OF_ONE_DATABASE if where else ()
    statement = f"SELECT {columns} FROM {table.name}{where} ORDER BY {keys} LIMIT -1 OFFSET {after}"  # noqa: S608
    yield from source.execute(statement, values)


def _rows_of_postgres(target: Target, table: Table) -> Iterator[Row]:
    columns, keys = (SQL(", ").join(Identifier(c.name) for c in some) for some in (table.c, table.primary_key))
    statement = SQL("SELECT {} FROM {}{} ORDER BY {}").format(columns, Identifier(table.name), _where(table), keys)
    with target.cursor(name="copied") as cursor:
        cursor.itersize = PORTION_ROWS
        yield from cursor.execute(statement)


def _where(table: Table) -> Composed:
    """Leave out of `meta` what is not copied."""
    if table.name != "meta":
        return Composed([])
    return SQL(" WHERE key <> ALL ({})").format([*OF_ONE_DATABASE, COPYING])


def _count(target: Target, table: Table) -> int:
    found = target.execute(SQL("SELECT count(*) FROM {}{}").format(Identifier(table.name), _where(table))).fetchone()
    return int(found[0]) if found else 0


def _number(source: Source, target: Target) -> None:
    """Let rows that come later be numbered behind those that are there, and events behind all that ever were."""
    for table in TABLES:
        (key, *more) = table.primary_key
        if not more and key.autoincrement and key.type.python_type is int:
            name, column = Identifier(table.name), Identifier(key.name)
            target.execute(NEXT.format(table.name, key.name, column, column, name))
    last = source.execute("SELECT seq FROM sqlite_sequence WHERE name = 'events'").fetchone()
    if last:
        target.execute("SELECT setval('events_seq_seq', %s)", last)
        target.execute(
            "INSERT INTO meta (key, value) VALUES (%s, %s) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            (GONE, str(last[0])),
        )
    target.commit()


def _compared(source: Source, target: Target) -> Copied:
    total, checksums = 0, {}
    for table in TABLES:
        count, expected = _checksum(_rows_of_sqlite(source, table))
        _, found = _checksum(_rows_of_postgres(target, table))
        target.commit()
        if found != expected:
            raise CopyingError(
                f"{table.name}: the copy is not what is in the file, which was written to since it was begun; "
                "copy again into an empty database"
            )
        total += count
        checksums[table.name] = found
    return Copied(total, checksums)


def _checksum(rows: Iterator[Row]) -> tuple[int, str]:
    """Return how many rows there are, and what stands for all that they hold."""
    count, checksum = 0, blake2b(digest_size=16)
    while some := list(islice(rows, PORTION_ROWS)):
        count += len(some)
        for row in some:
            checksum.update(repr(_plain(row)).encode())
    return count, checksum.hexdigest()


def _plain(row: Sequence[Any]) -> list[Any]:
    """Return a row as SQLite has it, where flags are numbers."""
    return [int(value) if isinstance(value, bool) else value for value in row]
