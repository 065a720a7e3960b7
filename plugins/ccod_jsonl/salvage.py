"""Finds the records on a damaged line: glued together, padded with NULs, or after one that was cut off."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

import msgspec
from msgspec import Raw, Struct

from ccod import Record, Unparsed
from ccod_jsonl.decoding import pair_surrogates, salvage

S = TypeVar("S", bound=Struct)

MOST_PASSES = 8
"""The work done in vain on a line is bounded by as much as reading it so often would be."""
MOST_RECORDS = 10_000
ATTEMPT_COST = 256
SLACK = 65_536
START = re.compile(rb'\{(?=\s*(?:"[A-Za-z_]|\}))')
PADDING = re.compile(rb"(?:\s|\x00|\xef\xbb\xbf)*")
PLACE = re.compile(r"\(byte (\d+)\)$")
BLANK = b" \t\r\n\xef\xbb\xbf"

_skim = msgspec.json.Decoder(Raw).decode


IsRecord = Callable[[memoryview], bool]
"""Tells a record from an object that only stands inside of one; it is asked where a line is damaged."""


class Salvaged(Struct, Generic[S]):
    """A record from a line that could not be decoded at once; `mended` says in a few words what was wrong."""

    line: S
    offset: int
    length: int
    mended: str


class Piece(Struct, frozen=True):
    """A part of a line: a complete record, or what remains between records, and why that is no record."""

    start: int
    end: int
    reason: str = ""


def salvaged(record: Record, kind: type[S], is_record: IsRecord) -> Iterator[Salvaged[S] | Unparsed]:
    """Yield all that stands on a line: records, glued together or after one that was cut off, and what is none."""
    glued = ""
    for piece in pieces(pair_surrogates(record.body), is_record):
        offset, length = record.offset + piece.start, piece.end - piece.start
        if piece.reason:
            yield Unparsed(offset, length, piece.reason)
            continue
        try:
            line, mended = salvage(record.body[piece.start : piece.end], kind)
        except (ValueError, RecursionError):
            yield Unparsed(offset, length, "malformed")
        else:
            yield Salvaged(line, offset, length, ", ".join(filter(None, (glued, mended))))
            glued = "glued to another record"


def pieces(line: bytes, is_record: IsRecord) -> Iterator[Piece]:
    """Yield what stands on a line in order, blanks left out."""
    at = 0
    for number, (start, end) in enumerate(_records(line, is_record)):
        if number == MOST_RECORDS:
            yield from _rest(line, at, len(line), "too many records on one line")
            return
        yield from _rest(line, at, start)
        yield Piece(start, end)
        at = end
    yield from _rest(line, at, len(line))


def _records(line: bytes, is_record: IsRecord) -> Iterator[tuple[int, int]]:
    view = memoryview(line)
    at = _past_padding(line, 0)
    if _is_other_json(view[at:]):
        return
    aligned = True  # nothing but records so far, so an object that starts here is one, whatever it says
    budget = MOST_PASSES * len(line) + SLACK
    while budget > 0 and (start := _next_start(line, at, aligned)) >= 0:
        length, cost = _extent(view[start:])
        aligned = aligned and start == at
        if length and (aligned or is_record(view[start : start + length])):
            yield start, start + length
            at, aligned = _past_padding(line, start + length), True
        else:
            at, aligned = start + (length or 1), False
            budget -= cost + ATTEMPT_COST


def _next_start(line: bytes, at: int, aligned: bool) -> int:
    if aligned and line.startswith(b"{", at):
        return at
    found = START.search(line, at)
    return found.start() if found else -1


def _extent(view: memoryview) -> tuple[int, int]:
    """Return how long the JSON value is that starts here, 0 if it is not complete, and how far one had to read."""
    try:
        _skim(view)
    except RecursionError:
        return 0, len(view)
    except msgspec.DecodeError as error:
        place = PLACE.search(str(error))
        reached = int(place[1]) if place else len(view)
        if "trailing" not in str(error):
            return 0, reached
        length = len(bytes(view[: reached - 1]).rstrip())
        return length, reached
    return len(bytes(view).rstrip()), len(view)


def _is_other_json(view: memoryview) -> bool:
    try:
        return not bytes(_skim(view)).startswith(b"{")
    except (msgspec.DecodeError, RecursionError):
        return False


def _rest(line: bytes, start: int, end: int, reason: str = "") -> Iterator[Piece]:
    rest = line[start:end]
    start += len(rest) - len(rest.lstrip(BLANK))
    rest = rest.strip(BLANK)
    if rest:
        yield Piece(start, start + len(rest), reason or _reason(rest))


def _reason(rest: bytes) -> str:
    if not rest.strip(b"\x00"):
        return "NUL bytes"
    try:
        _skim(rest)
    except RecursionError:
        return "nested too deeply"
    except msgspec.DecodeError:
        return "incomplete or garbled"
    return "not an object"


def _past_padding(line: bytes, at: int) -> int:
    match = PADDING.match(line, at)
    assert match is not None
    return match.end()
