"""Numbers the rows of the full-text index by the time of their messages, so that the index itself is in that order."""

from __future__ import annotations

from sqlalchemy import Connection

BITS = 10
"""A second has this many bits of keys: 1,024. The index names a key for each word of each message: a bit more makes
it some 2 % larger, and it has no need to be in a finer order than that."""
END = 2**62
"""No key is as large, and none as small as its negative."""

NEXT = {
    True: "SELECT max(key) + 1 FROM search_keys WHERE key >= ? AND key < ?",
    False: "SELECT min(key) - 1 FROM search_keys WHERE key >= ? AND key < ?",
}
BEFORE_ALL = "SELECT min(key) - 1 FROM search_keys"
INSERT = "INSERT INTO search_keys (key, entry_id) VALUES (?, ?)"


def first(at: int) -> int:
    """Return the smallest key of the second in which `at` is."""
    return at // 1000 << BITS


def end(at: int) -> int:
    """Return the smallest key of the second after."""
    return first(at + 1000)


def take(connection: Connection, entry_id: int, at: int, *, upwards: bool) -> int:
    """Give an entry the key above those of its second, or below them: entries of one come in order, up or down.

    Where one second has a thousand messages, those for which it has no key left count as the oldest of all.
    """
    low, high = first(at), end(at)
    key = connection.exec_driver_sql(NEXT[upwards], (low, high)).scalar()
    if key is None:
        key = (low + high) // 2
    elif not low <= key < high:
        key = connection.exec_driver_sql(BEFORE_ALL).scalar_one()
    connection.exec_driver_sql(INSERT, (key, entry_id))
    return int(key)


def forget(connection: Connection) -> None:
    """Take all keys back."""
    connection.exec_driver_sql("DELETE FROM search_keys")
