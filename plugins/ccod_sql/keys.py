"""Numbers the rows of the full-text index by the time of their messages, so that the index itself is in that order."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, func, insert, select

from ccod_sql.dialects import SPANS, as_spans
from ccod_sql.tables import search_keys

BITS = 10
"""A second has this many bits of keys: 1,024. The index names a key for each word of each message: a bit more makes
it some 2 % larger, and it has no need to be in a finer order than that."""
END = 2**62
"""No key is as large, and none as small as its negative."""

_KEY = search_keys.c.key
_WITHIN = (SPANS.c.start <= _KEY) & (SPANS.c.end > _KEY)
AT_EDGE = {
    upwards: select(SPANS.c.start, select(edge(_KEY)).where(_WITHIN).scalar_subquery())
    for upwards, edge in ((True, func.max), (False, func.min))
}
OLDEST = select(func.min(_KEY))


def first(at: int) -> int:
    """Return the smallest key of the second in which `at` is."""
    return at // 1000 << BITS


def end(at: int) -> int:
    """Return the smallest key of the second after."""
    return first(at + 1000)


def take(connection: Connection, entries: Sequence[tuple[int, int]], *, upwards: bool) -> list[int]:
    """Give each entry, of which id and time are given, the key above those of its second, or below them.

    Entries of one second come in order, up or down. Where one second has a thousand messages, those for which it has no
    key left count as the oldest of all.
    """
    step = 1 if upwards else -1
    seconds = as_spans({(first(at), end(at)) for _, at in entries})
    found = connection.execute(AT_EDGE[upwards], {"spans": seconds}).all()
    edges: dict[int, int | None] = {row[0]: row[1] for row in found}
    taken: list[int] = []
    for _, at in entries:
        low, high = first(at), end(at)
        edge = edges[low]
        key = (low + high) // 2 if edge is None else edge + step
        if low <= key < high:
            edges[low] = key
        else:
            oldest = connection.scalar(OLDEST)
            key = min(taken if oldest is None else (oldest, *taken)) - 1
        taken.append(key)
    rows = [{"key": key, "entry_id": entry_id} for key, (entry_id, _) in zip(taken, entries, strict=True)]
    connection.execute(insert(search_keys), rows)
    return taken


def forget(connection: Connection) -> None:
    """Take all keys back."""
    connection.execute(delete(search_keys))
