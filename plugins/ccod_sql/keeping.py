"""Keeps the little that other plugins must not lose."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, select, text

from ccod_sql.tables import kept

WRITE = text(
    "INSERT INTO kept (namespace, key, value) VALUES (:namespace, :key, :value) "
    "ON CONFLICT (namespace, key) DO UPDATE SET value = excluded.value"
)


def read(connection: Connection, namespace: str) -> dict[str, bytes]:
    """Return the values of a namespace by their keys."""
    found = connection.execute(select(kept.c.key, kept.c.value).where(kept.c.namespace == namespace))
    return {row.key: row.value for row in found}


def write(connection: Connection, namespace: str, changes: Mapping[str, bytes | None]) -> None:
    """Put values in the place of what is there; None removes."""
    for key, value in changes.items():
        if value is None:
            connection.execute(kept.delete().where(kept.c.namespace == namespace, kept.c.key == key))
        else:
            connection.execute(WRITE, {"namespace": namespace, "key": key, "value": value})
