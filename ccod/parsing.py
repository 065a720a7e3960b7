"""Makes entries of a batch in a thread, and sets aside what takes too long or has no parser: its bytes are kept."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import attrgetter

import trio

from ccod.guarded import parse_all
from ccod.limits import LIMITS, within
from ccod.model import TOO_LONG, Batch, Entry, Unparsed
from ccod.roles import Parser

MOST_STUCK = 3
"""While a parser holds so many threads it is not asked."""

Parsed = Sequence[Entry | Unparsed]


class Parsing:
    """Asks the parsers. No thread can be ended: one that does not come back is left alone, and a few are borne."""

    def __init__(self, parsers: Mapping[str, Parser], fault: Callable[[str, str], object]) -> None:
        """`fault` is called with the format whose parser gave no answer, and what was wrong."""
        self._parsers = parsers
        self._fault = fault
        self._stuck: dict[str, set[threading.Event]] = {}

    async def parse(self, batch: Batch) -> Parsed:
        form = batch.stream.format
        parser = self._parsers.get(form)
        if parser is None:
            return list(_set_aside(batch, f"no parser of {form}"))
        stuck = {event for event in self._stuck.get(form, ()) if not event.is_set()}
        if len(stuck) < MOST_STUCK:
            ended = threading.Event()

            async def ask() -> Parsed | None:
                return await trio.to_thread.run_sync(_parse, parser, batch, ended, abandon_on_cancel=True)

            parsed = await within(LIMITS.parse, ask, None)
            if parsed is not None:
                return parsed
            self._stuck[form] = {*stuck, ended}
            self._fault(form, f"no answer within {LIMITS.parse:g} seconds")
        return list(_set_aside(batch, f"parser {form} gave no answer"))


def _parse(parser: Parser, batch: Batch, ended: threading.Event) -> Parsed:
    entries: list[Entry | Unparsed] = []
    try:
        for piece, records in groupby(batch.records, key=attrgetter("piece")):
            if piece == 0:
                entries += parse_all(parser, batch.stream, records)
            elif piece == 1:
                entries += [Unparsed(record.offset, len(record.body), TOO_LONG) for record in records]
    finally:
        ended.set()
    return entries


def _set_aside(batch: Batch, reason: str) -> Iterator[Unparsed]:
    for record in batch.records:
        if record.piece == 0:
            yield Unparsed(record.offset, len(record.body), reason)
        elif record.piece == 1:
            yield Unparsed(record.offset, len(record.body), TOO_LONG)
