"""The raw bytes of every stream, in blocks. A record never lies across two."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

import zstandard

from ccod import Record

BLOCK_BYTES = 1 << 20
WORTH_PACKING = 4096
LEVEL = 3

_kept = threading.local()
"""A compressor for each thread that packs: to make one costs a sixth of what it does for a batch."""


def split(records: Sequence[Record]) -> Iterator[tuple[int, bytes]]:
    """Yield the start and the bytes of each block: as many adjacent records as fit, at least one."""
    first, size = 0, 0
    for number, record in enumerate(records):
        length = len(record.body)
        if size and size + length > BLOCK_BYTES:
            yield _block(records[first:number])
            first, size = number, 0
        size += length
    if records:
        yield _block(records[first:])


def _block(records: Sequence[Record]) -> tuple[int, bytes]:
    return records[0].offset, b"".join([record.body for record in records])


def pack(data: bytes) -> tuple[str, bytes]:
    """Return the codec and the bytes to store. What is small stays as it is: packing gains nothing there."""
    if len(data) < WORTH_PACKING:
        return "", data
    if not hasattr(_kept, "compressor"):
        _kept.compressor = zstandard.ZstdCompressor(level=LEVEL)
    return "zstd", _kept.compressor.compress(data)


def unpack(codec: str, data: bytes) -> bytes:
    """Return what was packed."""
    return zstandard.decompress(data) if codec == "zstd" else data
