"""Numbers the rows of the full-text index by the time of their messages, so that the index itself is in that order."""

from __future__ import annotations

from sqlalchemy import Connection

BITS = 12
"""A millisecond has this many bits of keys: 4,096. Each bit more makes the index some 2 % larger."""
END = 2**62
"""No key is as large, and none as small as its negative."""

NEXT = {
    True: "SELECT max(key) + 1 FROM search_keys WHERE key >= ? AND key < ?",
    False: "SELECT min(key) - 1 FROM search_keys WHERE key >= ? AND key < ?",
}
BEFORE_ALL = "SELECT min(key) - 1 FROM search_keys"
INSERT = "INSERT INTO search_keys (key, entry_id) VALUES (?, ?)"


def first(at: int) -> int:
    """Return the smallest key of a time."""
    return at << BITS


def take(connection: Connection, entry_id: int, at: int, *, upwards: bool) -> int:
    """Give an entry the key above those of its time, or below them: entries of one time come in order, up or down.

    Where one time has thousands of messages, those for which it has no key left count as the oldest of all.
    """
    start, end = first(at), first(at + 1)
    key = connection.exec_driver_sql(NEXT[upwards], (start, end)).scalar()
    if key is None:
        key = (start + end) // 2
    elif not start <= key < end:
        key = connection.exec_driver_sql(BEFORE_ALL).scalar_one()
    connection.exec_driver_sql(INSERT, (key, entry_id))
    return int(key)


def forget(connection: Connection) -> None:
    """Take all keys back."""
    connection.exec_driver_sql("DELETE FROM search_keys")
