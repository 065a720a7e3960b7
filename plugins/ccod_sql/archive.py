"""The raw bytes of every stream, in blocks. A record never lies across two."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import zstandard

from ccod import Record

BLOCK_BYTES = 1 << 20
WORTH_PACKING = 4096
LEVEL = 3


def split(records: Sequence[Record]) -> Iterator[tuple[int, bytes]]:
    """Yield the start and the bytes of each block: as many adjacent records as fit, at least one."""
    start, size, bodies = 0, 0, list[bytes]()
    for record in records:
        if bodies and size + len(record.body) > BLOCK_BYTES:
            yield start, b"".join(bodies)
            size, bodies = 0, []
        if not bodies:
            start = record.offset
        bodies.append(record.body)
        size += len(record.body)
    if bodies:
        yield start, b"".join(bodies)


def pack(data: bytes) -> tuple[str, bytes]:
    """Return the codec and the bytes to store. What is small stays as it is: packing gains nothing there."""
    if len(data) < WORTH_PACKING:
        return "", data
    return "zstd", zstandard.compress(data, LEVEL)


def unpack(codec: str, data: bytes) -> bytes:
    """Return what was packed."""
    return zstandard.decompress(data) if codec == "zstd" else data
