"""Holds back warnings and errors that repeat: a fault that lasts must not fill a disk, and must not be forgotten."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable

from msgspec import Struct

PERIOD_SECONDS = 10.0
MOST = 20
"""How many lines of one kind are let through in a period."""
KINDS = 1000


class Kind(Struct):
    """What came of one kind of line since `began`."""

    began: float
    seen: int = 0


class Repetition(logging.Filter):
    """Lets MOST lines of a kind through in a period; the first of a later one bears how many were `held_back`.

    Lines are of one kind when logger and event, or a library's message before its arguments are put in, are the same.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._kinds: OrderedDict[tuple[str, str], Kind] = OrderedDict()

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return True
        now = self._clock()
        event = record.msg.get("event", "") if isinstance(record.msg, dict) else record.msg
        key = (record.name, str(event))
        kind = self._kinds.pop(key, None) or Kind(now)
        if now - kind.began >= PERIOD_SECONDS:
            _tell(record, kind.seen - MOST)
            kind = Kind(now)
        kind.seen += 1
        self._kinds[key] = kind
        if len(self._kinds) > KINDS:
            self._kinds.popitem(last=False)
        return kind.seen <= MOST


def _tell(record: logging.LogRecord, held_back: int) -> None:
    if held_back > 0:
        if isinstance(record.msg, dict):
            record.msg = {**record.msg, "held_back": held_back}
        else:
            record.msg, record.args = f"{record.getMessage()} (held back: {held_back})", None
