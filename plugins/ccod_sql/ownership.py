"""Which copy of an API response counts: history is copied into forks and side conversations, and was paid once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection, select

from ccod_sql import rows
from ccod_sql.quarters import Quarters
from ccod_sql.rows import Rows, portions
from ccod_sql.tables import conversations


def owners(copies: Sequence[rows.Response], keys: Mapping[int, str]) -> dict[int, rows.Response]:
    """Return for each of `copies`, by its id, the copy that counts in its place. All are of one message.

    The first of the main conversation owns those of its request, and those of any request on the side. Equal times
    are the rule, for a fork copies them too; then the order of `keys`, the conversations' by their ids, decides.
    """

    def order(row: rows.Response) -> tuple[object, ...]:
        return _distance(row), row.at, keys.get(row.conversation_id, ""), row.agent, row.request_id

    ordered = sorted(copies, key=order)
    firsts: dict[str, rows.Response] = {}
    for row in ordered:
        if _distance(row) == 0:
            firsts.setdefault(row.request_id, row)
    return {row.id: firsts.get(row.request_id, ordered[0]) for row in copies}


def mark(connection: Connection, copies: Iterable[rows.Response]) -> list[rows.Response]:
    """Set `counted` in `copies`, which are all there are of some messages; return those that changed."""
    changed = []
    groups = by_message(copies)
    shared = [row for group in groups if len(group) > 1 for row in group]
    keys = keys_of(connection, shared) if shared else {}
    for group in groups:
        found = owners(group, keys)
        for row in group:
            counted = found[row.id] is row
            if row.counted != counted:
                row.counted = counted
                changed.append(row)
    return changed


def settle(connection: Connection, table: Rows[rows.Response], message_ids: Iterable[str], quarters: Quarters) -> None:
    """Mark anew which copies of these messages count, after some of them were removed."""
    flipped = mark(connection, table.find_in(connection, "message_id", message_ids))
    table.update(connection, flipped)
    quarters.weigh_flips(flipped)
    quarters.save()


def by_message(copies: Iterable[rows.Response]) -> list[list[rows.Response]]:
    groups = defaultdict(list)
    for row in copies:
        groups[row.message_id].append(row)
    return list(groups.values())


def keys_of(connection: Connection, copies: Iterable[rows.Response]) -> dict[int, str]:
    """Return the keys of the conversations that `copies` belong to, by their ids."""
    columns = select(conversations.c.id, conversations.c.key)
    return {
        id_: key
        for some in portions({row.conversation_id for row in copies})
        for id_, key in connection.execute(columns.where(conversations.c.id.in_(some)))
    }


def _distance(row: rows.Response) -> int:
    """How far from a main conversation a copy stands."""
    return 2 if row.agent else int(row.sidechain)
