"""Keeps the little that other plugins must not lose."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert

from ccod_sql.tables import kept


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
            row = insert(kept).values(namespace=namespace, key=key, value=value)
            connection.execute(row.on_conflict_do_update(index_elements=kept.primary_key, set_={"value": value}))
