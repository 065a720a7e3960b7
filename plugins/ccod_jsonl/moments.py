"""Times as transcripts write them, in milliseconds since 1970-01-01 UTC."""

from __future__ import annotations

from datetime import UTC, datetime

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECONDS_END = 100_000_000_000
"""A bare number below it (the year 5138) counts seconds, one above it milliseconds."""
LAST = 253_402_300_799_999


def milliseconds(written: datetime | float | None) -> int | None:
    """Return a moment, in UTC where it names no zone, or a number of seconds or milliseconds, as milliseconds."""
    if written is None:
        return None
    moment: float
    if isinstance(written, datetime):
        since = (written if written.tzinfo else written.replace(tzinfo=UTC)) - EPOCH
        moment = since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000
    else:
        moment = written * 1000 if abs(written) < SECONDS_END else written
    return int(moment) if 0 <= moment <= LAST else None
