"""What the database remembers of itself, by keys."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, delete, select, text

from ccod_sql.tables import meta

READ = select(meta.c.value).where(meta.c.key == bindparam("of"))
WRITE = text(
    "INSERT INTO meta (key, value) VALUES (:key, :value) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
)
FORGET = delete(meta).where(meta.c.key == bindparam("of"))


def read(connection: Connection, key: str) -> str | None:
    value: str | None = connection.scalar(READ, {"of": key})
    return value


def write(connection: Connection, key: str, value: str) -> None:
    connection.execute(WRITE, {"key": key, "value": value})


def forget(connection: Connection, key: str) -> None:
    connection.execute(FORGET, {"of": key})
