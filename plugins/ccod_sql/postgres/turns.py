"""Daemons that share a database write one after another, and count what they write.

A row of `meta` holds the number of transactions that wrote something. It is read and counted up by whoever has the
turn, so it grows in the order of commits, is seen together with what it counts, and tells a daemon whether another has
written since. Turns and channels are those of one schema, for a database may hold several.
"""

from __future__ import annotations

from sqlalchemy import Connection

REVISION = "revision"
"""The key of `meta` for the number."""
CHANNEL = "'ccod ' || hashtext(current_schema())"

TURN = int.from_bytes(b"ccod")
UPKEEP = TURN + 1
TAKE_TURN = f"SELECT pg_advisory_xact_lock({TURN}, hashtext(current_schema()))"
KEEP = f"SELECT pg_try_advisory_lock({UPKEEP}, hashtext(current_schema()))"
KEEPS = "ccod keeps"
"""Where a connection has the lock of the keeper, among what is known of it; both go with it."""

READ = f"SELECT CAST(value AS BIGINT) FROM meta WHERE key = '{REVISION}'"  # noqa: S608 - a name of ours
COUNT = f"""
WITH counted AS (
    INSERT INTO meta (key, value) SELECT '{REVISION}', '1' WHERE pg_current_xact_id_if_assigned() IS NOT NULL
    ON CONFLICT (key) DO UPDATE SET value = CAST(CAST(meta.value AS BIGINT) + 1 AS TEXT)
    RETURNING value
)
SELECT CAST(value AS BIGINT), pg_notify({CHANNEL}, value || ' ' || %s) FROM counted
"""  # noqa: S608 - names of ours


def take(connection: Connection) -> int:
    """Wait until no other daemon writes, until the transaction ends; return the revision.

    To be called before anything else is done in the transaction.
    """
    connection.exec_driver_sql(TAKE_TURN)
    return read(connection)


def read(connection: Connection) -> int:
    """Return the revision of what a connection sees."""
    return connection.exec_driver_sql(READ).scalar() or 0


def count(connection: Connection, notice: str) -> int | None:
    """Count a transaction that has written something, and send a notice with it; return the revision, or None."""
    counted: int | None = connection.exec_driver_sql(COUNT, (notice,)).scalar()
    return counted


def is_keeper(connection: Connection) -> bool:
    """Tell whether a connection has the lock of the keeper, or gets it."""
    if KEEPS not in connection.info and connection.exec_driver_sql(KEEP).scalar():
        connection.info[KEEPS] = True
    return KEEPS in connection.info
