"""Counts what comes in, and how soon after it was written it is told of."""

from __future__ import annotations

import re
import time
from collections import Counter, OrderedDict
from collections.abc import Sequence

from ccod.metrics import Metrics, Values
from ccod.model import Batch, Entry, Unparsed

UNKNOWN = "unknown"
MOST_STREAMS = 4096
"""Of so many streams it is remembered which version wrote them."""
LAGS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0)

_VERSION = re.compile(r"\d{1,5}(\.\d{1,5}){0,3}", re.ASCII)


class Tally:
    """The figures of ingest. A record of a type that its parser has not heard of is of type "unknown"."""

    def __init__(self, metrics: Metrics) -> None:
        self._entries = metrics.counter(
            "ccod_ingest_entries_total", "Records understood and stored, by source and type.", "source", "type"
        )
        self._errors = metrics.counter(
            "ccod_parse_errors_total",
            "Records that could not be understood, by format, reason and the version of the program that wrote them.",
            "parser",
            "reason",
            "version",
        )
        self._lag = metrics.histogram(
            "ccod_ingest_lag_seconds",
            "Time from the writing of a file to the broadcast of what was written, live records only.",
            buckets=LAGS,
        )
        self._types, self._reasons = Values(), Values()
        self._types(UNKNOWN)
        self._versions = Values(form=_VERSION)
        self._version_of: OrderedDict[str, str] = OrderedDict()

    def published(self, batch: Batch) -> None:
        """Note that subscribers were told of a batch just now."""
        if batch.written_at is not None and batch.records and not batch.history:
            self._lag.observe(max(0.0, time.time() - batch.written_at / 1000))

    def count(self, source: str, batch: Batch, entries: Sequence[Entry | Unparsed]) -> None:
        """Count what a batch held."""
        understood = [entry for entry in entries if isinstance(entry, Entry)]
        for kind, count in Counter(entry.type if entry.known else UNKNOWN for entry in understood).items():
            self._entries.labels(source, self._types(kind)).inc(count)
        version = self._version(batch.stream.key, understood)
        for entry in entries if len(understood) < len(entries) else ():
            if isinstance(entry, Unparsed):
                self._errors.labels(batch.stream.format, self._reasons(entry.reason), version).inc()

    def _version(self, stream: str, entries: Sequence[Entry]) -> str:
        """Return the version that wrote these, or what was before them in the stream."""
        version = next((entry.version for entry in reversed(entries) if entry.version), None)
        if version is None:
            return self._version_of.get(stream, UNKNOWN)
        version = self._version_of[stream] = self._versions(version)
        self._version_of.move_to_end(stream)
        if len(self._version_of) > MOST_STREAMS:
            self._version_of.popitem(last=False)
        return version
