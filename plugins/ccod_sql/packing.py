"""Merges the small blocks that live lines leave behind, once there are many of them or nobody writes any more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, or_, select, update

from ccod_sql import archive
from ccod_sql.tables import blocks, streams

IDLE_MS = 60_000
MOST_BLOCKS = 2000
AT_ONCE = 50

LOOSE = (
    select(streams.c.id, streams.c.packed, streams.c.position)
    .where(
        streams.c.position > streams.c.packed,
        or_(
            streams.c.updated_at <= bindparam("idle_since"),
            streams.c.position - streams.c.packed > archive.BLOCK_BYTES,
        ),
    )
    .order_by(streams.c.updated_at)
    .limit(AT_ONCE)
)
BLOCKS = (
    select(blocks.c.id, blocks.c.start, blocks.c.length)
    .where(
        blocks.c.stream_id == bindparam("stream"),
        blocks.c.start + blocks.c.length >= bindparam("packed"),
        blocks.c.start >= bindparam("packed") - archive.BLOCK_BYTES,
    )
    .order_by(blocks.c.start)
    .limit(MOST_BLOCKS)
)
DATA = (
    select(blocks.c.codec, blocks.c.data)
    .where(blocks.c.stream_id == bindparam("stream"), blocks.c.start.between(bindparam("first"), bindparam("last")))
    .order_by(blocks.c.start)
)
MERGED = update(blocks).where(blocks.c.id == bindparam("block"))
OTHERS = delete(blocks).where(
    blocks.c.stream_id == bindparam("stream"),
    blocks.c.start > bindparam("first"),
    blocks.c.start <= bindparam("last"),
)
PACKED = update(streams).where(streams.c.id == bindparam("stream")).values(packed=bindparam("end"))


def pack_some(connection: Connection, now: int) -> bool:
    """Merge adjacent blocks of one stream into one; return whether there was something to do.

    Streams before it of which there is nothing to merge, such as those that were read at once, are done with.
    """
    loose = connection.execute(LOOSE, {"idle_since": now - IDLE_MS}).all()
    for stream in loose:
        group = _group(connection.execute(BLOCKS, {"stream": stream.id, "packed": stream.packed}).all(), stream.packed)
        if len(group) > 1:
            _merge(connection, stream.id, group)
        end = group[-1].start + group[-1].length if group else stream.position
        connection.execute(PACKED, {"stream": stream.id, "end": end})
        if len(group) > 1:
            break
    return bool(loose)


def _group(found: Sequence[Any], packed: int) -> Sequence[Any]:
    """Return the first loose blocks that fit into one, with the last that was packed where that has room for them."""
    first = sum(block.start < packed for block in found)
    if first and (first == len(found) or found[first - 1].length + found[first].length > archive.BLOCK_BYTES):
        found = found[first:]
    size, end = 0, 0
    while end < len(found) and (size + found[end].length <= archive.BLOCK_BYTES or not end):
        size += found[end].length
        end += 1
    return found[:end]


def _merge(connection: Connection, stream_id: int, group: Sequence[Any]) -> None:
    where = {"stream": stream_id, "first": group[0].start, "last": group[-1].start}
    data = b"".join(archive.unpack(*packed) for packed in connection.execute(DATA, where))
    connection.execute(OTHERS, where)
    codec, kept = archive.pack(data)
    connection.execute(MERGED.values(length=len(data), codec=codec, data=kept), {"block": group[0].id})
