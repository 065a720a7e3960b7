"""Cuts bytes into records: a line each, or pieces of one that is too long to hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from ccod import Record

CHUNK = 2**19
"""So much is read for one batch, and a piece of a long line is no longer."""
MOST_RECORDS = 1000


class Position(NamedTuple):
    """Where reading stands: at `offset`, after so many pieces of a long line.

    No line ended between `offset` and `searched`: of a line that is longer than CHUNK only what comes after is read,
    until it ends. A shorter one is read again, for its writer may have taken it back.
    """

    offset: int = 0
    piece: int = 0
    searched: int = 0


_skim = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode

Read = Callable[[int, int], bytes]
"""Return the bytes from an offset on, up to so many; fewer if they are not there."""


def read_records(read: Read, position: Position, max_line: int) -> tuple[list[Record], Position]:
    """Read complete lines, as many as a batch should hold, or the next piece of a line that is too long.

    How they are cut depends on the bytes alone, not on how many of them were there at which time.
    """
    max_line = max(max_line, 1)
    step = min(CHUNK, max_line)
    offset, piece, searched = position
    if searched < offset + CHUNK:
        searched = offset
    limit = step if piece else max_line
    found = read(searched, step)
    while b"\n" not in found and len(found) == step and searched + step < offset + limit:
        searched += step
        found = read(searched, step)
    if b"\n" in found:
        line_end = searched + found.index(b"\n") + 1
        too_long = line_end > offset + limit
    else:
        searched += len(found)
        if searched < offset + limit:
            return [], Position(offset, piece, searched)
        too_long = True
    if too_long:
        return _piece(read, position, offset + step)
    if piece:
        return _piece(read, position, line_end)
    return _lines(found if searched == offset else read(offset, line_end - offset), offset)


def read_unended(read: Read, position: Position) -> tuple[list[Record], Position]:
    """Read the record at the end of a file whose newline is missing, if the record is whole.

    No writer goes on with a whole record but by ending its line, or by gluing another record to it.
    """
    offset, piece, end = position
    if end <= offset or piece or read(end - 1, 1) != b"}":
        return [], position
    body = read(offset, end - offset)
    return ([Record(offset, body)], Position(end, 0, end)) if _is_whole(body) else ([], position)


def _is_whole(body: bytes) -> bool:
    try:
        _skim(body)
    except (ValueError, RecursionError):
        return False
    return True


def read_chunk(read: Read, position: Position, max_line: int) -> tuple[list[Record], Position]:  # noqa: ARG001
    """Read what follows of a file that is no transcript, whatever its lines are."""
    offset = position.offset
    body = read(offset, CHUNK)
    end = offset + len(body)
    return [Record(offset, body)] if body else [], Position(end, 0, end)


def _piece(read: Read, position: Position, end: int) -> tuple[list[Record], Position]:
    offset, piece, _ = position
    body = read(offset, end - offset)
    if len(body) < end - offset:  # the file was cut meanwhile: the next reading finds out
        return [], position
    following = 0 if body.endswith(b"\n") else piece + 1
    return [Record(offset, body, piece + 1)], Position(end, following, end)


def _lines(chunk: bytes, offset: int) -> tuple[list[Record], Position]:
    records: list[Record] = []
    start = 0
    while len(records) < MOST_RECORDS and (end := chunk.find(b"\n", start) + 1):
        records.append(Record(offset + start, chunk[start:end]))
        start = end
    searched = start if len(records) == MOST_RECORDS else len(chunk)
    return records, Position(offset + start, 0, offset + searched)
