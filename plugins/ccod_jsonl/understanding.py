"""Makes entries of lines: each is decoded at once where it is as it should be, and salvaged where it is not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

from msgspec import Struct

from ccod import Entry, Record, Stream, Unparsed, decoder
from ccod_jsonl.decoding import damage
from ccod_jsonl.salvage import salvaged

L = TypeVar("L", bound=Struct)
S = TypeVar("S", bound=Struct)


class LineReader(Generic[L, S]):
    """What the parser of one format needs: `parse` is that of `ccod.Parser`.

    `line` is what stands on a line. `entry` makes an entry of one, of the stream that it stands in, its offset and
    length in bytes, and what was mended of it. On a damaged line `is_record` tells by a few fields, the `shape`,
    whether an object is a record or only stands inside of one.
    """

    def __init__(
        self,
        line: type[L],
        shape: type[S],
        is_record: Callable[[S], bool],
        entry: Callable[[Stream, L, int, int, str], Entry],
    ) -> None:
        self._line = line
        self._decode = decoder(line).decode
        self._shape = decoder(shape).decode
        self._states_record = is_record
        self._entry = entry

    def parse(self, stream: Stream, record: Record) -> Iterable[Entry | Unparsed]:
        body = record.body
        try:
            line = self._decode(body)
        except (ValueError, RecursionError):
            return list(self._salvage(stream, record))
        if body.startswith(b"{") and body.endswith(b"}\n"):
            return (self._entry(stream, line, record.offset, len(body) - 1, damage(body)),)
        start = len(body) - len(body.lstrip())
        return (self._entry(stream, line, record.offset + start, len(body.strip()), damage(body)),)

    def _salvage(self, stream: Stream, record: Record) -> Iterator[Entry | Unparsed]:
        for found in salvaged(record, self._line, self._is_record):
            if isinstance(found, Unparsed):
                yield found
            else:
                yield self._entry(stream, found.line, found.offset, found.length, found.mended)

    def _is_record(self, view: memoryview) -> bool:
        try:
            return self._states_record(self._shape(view))
        except (ValueError, RecursionError):
            return False
