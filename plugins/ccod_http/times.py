"""Times as clients write and read them; inside they are integers of milliseconds UTC."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, tzinfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = 253_402_300_799_999  # the year 9999 ends


def epoch_ms() -> int:
    """Return the time of now."""
    return time.time_ns() // 1_000_000


def iso(ms: int) -> str:
    """Return a time as text, such as `2023-01-01T00:00:00.000Z`; one beyond ISO's years becomes the nearest."""
    moment = _EPOCH + timedelta(milliseconds=min(max(ms, 0), _LAST))
    return moment.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def parse_time(text: str, *, end: bool = False, zone: tzinfo = UTC) -> int:
    """Read an ISO date, an ISO date-time (in `zone` where it names none) or epoch milliseconds; else raise ValueError.

    A date alone is its first millisecond, or its last where `end` is set. What is before 1970 becomes 1970.
    """
    if text.isascii() and text.isdigit():
        ms = int(text) if len(text) <= 15 else _LAST + 1
    else:
        moment = datetime.fromisoformat(text)
        if end and len(text) == len("2023-01-01"):
            moment = moment.replace(hour=23, minute=59, second=59, microsecond=999_000, fold=1)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
        ms = (moment - _EPOCH) // timedelta(milliseconds=1)
    if ms > _LAST:
        raise ValueError("out of range")
    return max(0, ms)
