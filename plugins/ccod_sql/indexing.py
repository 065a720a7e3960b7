"""Fills the full-text index behind the rows: what is new first, then what is older, the newest of it first.

The index holds no text, and its rows are numbered by time. Each portion is written together with the range of entries
that is indexed then, so a crash at any moment loses nothing of it. What makes rows of the index untrue (forgetting, a
parser that reads otherwise) empties it, and it fills again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, Engine, Row, func, select

from ccod import Parser, Progress, Stored, decoder
from ccod_sql import keys, messages, meta
from ccod_sql.database import Transaction
from ccod_sql.tables import entries, streams
from ccod_sql.texts import index_of

PORTION_BYTES = 256 * 1024
"""Keeps the writer busy for some 10 ms; a quarter of it costs half as much again, by more merges of the index."""
PORTION_ENTRIES = 500
LONGEST = 1 << 20
"""Characters of one message that can be found: what stands behind them is kept and shown, but not searched."""

KEY = "search"
NEWEST = select(func.max(entries.c.id))


class Range(Struct, frozen=True, array_like=True):
    """The entries from `low` to below `high` are indexed, as the parsers of these `versions` read them."""

    low: int
    high: int
    versions: Mapping[str, str]


class Text(Struct, frozen=True):
    """What a message says, and when it was said."""

    entry_id: int
    at: int
    words: str


class Portion(Struct, frozen=True):
    """What is to be indexed next, by falling ids or `upwards` by growing ones, and the range that is indexed then."""

    texts: Sequence[Text]
    upwards: bool
    before: Range | None
    after: Range
    progress: Progress


def step(
    readers: Engine, transaction: Transaction, parsers: Mapping[str, Parser], tasks: dict[str, Progress]
) -> Stored | None:
    """Make some more of the messages findable, in a transaction of the storage's; None if all are."""
    with readers.connect() as connection:
        portion = next_portion(connection, parsers)
    if portion is None:
        return None
    with transaction() as connection:
        write_portion(connection, portion)
    tasks[KEY] = portion.progress
    return Stored()


def next_portion(connection: Connection, parsers: Mapping[str, Parser]) -> Portion | None:
    """Read what is to be indexed next, or None. It only reads: nobody waits for it."""
    before = _range(connection)
    versions = {format_: parser.version for format_, parser in parsers.items()}
    newest = _newest(connection)
    now = before if before and before.versions == versions else Range(newest + 1, newest + 1, versions)
    upwards = newest >= now.high
    if not upwards and now.low <= 1:
        return None if now == before else Portion((), upwards, before, now, Progress(newest, newest))
    taken, whole = _rows(connection, now, upwards=upwards)
    if upwards:
        after = Range(now.low, newest + 1 if whole else taken[-1].id + 1, versions)
    else:
        after = Range(1 if whole else taken[-1].id, now.high, versions)
    bodies = messages.bodies(connection, taken)
    texts = [
        Text(row.id, row.at, parsers[row.format].content(bodies[row.id]).words()[:LONGEST])
        for row in taken
        if row.id in bodies and row.format in parsers
    ]
    return Portion(texts, upwards, before, after, Progress(after.high - after.low, newest))


def share(connection: Connection) -> float:
    """Return how much of all entries is indexed, from 0 to 1."""
    newest = _newest(connection)
    indexed = _range(connection)
    return (indexed.high - indexed.low if indexed else 0) / newest if newest else 1.0


def write_portion(connection: Connection, portion: Portion) -> None:
    """Write a portion, unless the index was changed since it was read."""
    before = _range(connection)
    if before != portion.before:
        return
    if before is None or before.versions != portion.after.versions:
        _empty(connection)
    texts = [each for each in portion.texts if each.words]
    if texts:
        taken = keys.take(connection, [(each.entry_id, each.at) for each in texts], upwards=portion.upwards)
        index_of(connection).add(connection, [(key, each.words) for key, each in zip(taken, texts, strict=True)])
    _set_range(connection, portion.after)


def reset(connection: Connection) -> None:
    """Empty the index; it fills again. To be called in the transaction that takes away what it may hold."""
    _empty(connection)
    meta.forget(connection, KEY)


def _empty(connection: Connection) -> None:
    index_of(connection).empty(connection)
    keys.forget(connection)


def _rows(connection: Connection, now: Range, *, upwards: bool) -> tuple[Sequence[Row[*tuple[Any, ...]]], bool]:
    """Return the rows of a portion, and whether those are all that there are."""
    c = entries.c
    within = c.id >= now.high if upwards else c.id < now.low
    statement = (
        select(c.id, c.stream_id, c.offset, c.length, c.at, streams.c.format, messages.BLOCK_ID.label("block_id"))
        .join_from(entries, streams, streams.c.id == c.stream_id)
        .where(c.role.is_not(None), within)
        .order_by(c.id if upwards else c.id.desc())
        .limit(PORTION_ENTRIES)
    )
    taken, size = [], 0
    with connection.execute(statement) as rows:
        for row in rows:
            taken.append(row)
            size += row.length
            if size >= PORTION_BYTES:
                return taken, False
    return taken, len(taken) < PORTION_ENTRIES


def _newest(connection: Connection) -> int:
    return connection.scalar(NEWEST) or 0


def _range(connection: Connection) -> Range | None:
    value = meta.read(connection, KEY)
    return None if value is None else decoder(Range).decode(value)


def _set_range(connection: Connection, to: Range) -> None:
    meta.write(connection, KEY, msgspec.json.encode(to).decode())
