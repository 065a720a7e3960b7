"""Reads the archive: the streams of a conversation, and their bytes."""

from __future__ import annotations

from collections.abc import Container, Iterator

from sqlalchemy import Connection, select

from ccod import Record, StoredStream
from ccod_sql import archive
from ccod_sql.tables import blocks, conversations, entries, streams


def of(connection: Connection, conversation_id: str) -> list[StoredStream]:
    """Return the streams of a conversation, in the order in which they began."""
    c = streams.c
    found = connection.execute(
        select(streams, conversations.c.key.label("conversation"))
        .join_from(streams, conversations)
        .where(conversations.c.key == conversation_id)
        .order_by(c.id)
    )
    return [
        StoredStream(
            id=row.id,
            conversation_id=row.conversation,
            key=row.key,
            format=row.format,
            path=row.path,
            agent=row.agent or None,
            size=row.position + len(row.rest),
            created_at=row.created_at,
            deleted_at=row.deleted_at,
            rewritten_at=row.rewritten_at,
            kind=row.kind,
        )
        for row in found
    ]


def bytes_of(connection: Connection, stream_id: int, start: int) -> bytes:
    """Return what stands in a stream from `start` to the end of the block there; nothing at the stream's end."""
    return _stored_bytes(connection, stream_id, start) or _rest(connection, stream_id, start)


def _rest(connection: Connection, stream_id: int, start: int) -> bytes:
    rest = connection.execute(select(streams.c.position, streams.c.rest).where(streams.c.id == stream_id)).one_or_none()
    return b"" if rest is None or start < rest.position else rest.rest[start - rest.position :]


def _stored_bytes(connection: Connection, stream_id: int, start: int) -> bytes:
    c = blocks.c
    block = connection.execute(
        select(c.start, c.codec, c.data)
        .where(c.stream_id == stream_id, c.start <= start)
        .order_by(c.start.desc())
        .limit(1)
    ).first()
    return b"" if block is None else archive.unpack(block.codec, block.data)[start - block.start :]


def repeats_in(connection: Connection, stream_id: int) -> list[tuple[int, int]]:
    """Return offset and length of the entries that repeat others."""
    c = entries.c
    repeated = select(c.offset, c.length).where(c.stream_id == stream_id, c.duplicate)
    found = connection.execute(repeated.order_by(c.offset))
    return [(offset, length) for offset, length in found]


def records_of(connection: Connection, stream_id: int, long_lines: Container[int]) -> Iterator[Record]:
    """Yield the records of a stream again, but not the lines that came in pieces, which begin at `long_lines`.

    A record that had no newline yet when it was stored ends its block, or is followed by the newline.
    """
    offset, in_pieces = 0, False
    while block := _stored_bytes(connection, stream_id, offset):
        for line in _lines(block):
            in_pieces = in_pieces or offset in long_lines
            if not in_pieces:
                yield Record(offset, line)
            in_pieces = in_pieces and not line.endswith(b"\n")
            offset += len(line)


def beginning_of(connection: Connection, stream_id: int) -> Iterator[Record]:
    """Yield the first record of a stream that has no lines: a file beside a transcript says at once what it is."""
    if block := bytes_of(connection, stream_id, 0):
        yield Record(0, block)


def _lines(block: bytes) -> Iterator[bytes]:
    start = 0
    while start < len(block):
        end = block.find(b"\n", start) + 1 or len(block)
        yield block[start:end]
        start = end
