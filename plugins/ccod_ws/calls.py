"""Tool calls, each told once: when it is answered, with how long that took and what came of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from math import inf

import trio
from msgspec import Struct

from ccod_http.printing import first_line, spoken_input, spoken_seconds
from ccod_ws.speech import Block, read_time

PATIENCE_SECONDS = 10.0
"""A call that is not answered for so long is told of as it is: perhaps it waits for a person."""
MOST = 10_000


class Call(Struct):
    """A call that waits for its answer. `due` is when it is told of all the same, in trio's time."""

    conversation: str
    speaker: str
    words: str
    at: datetime | None
    due: float


class Calls:
    """The calls that wait, the oldest first."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, str], Call] = {}

    def begin(self, conversation: str, speaker: str, block: Block, timestamp: str) -> None:
        words = f"{block.name}  {spoken_input(block.input)}".rstrip()
        due = trio.current_time() + PATIENCE_SECONDS
        self._waiting[conversation, block.id] = Call(conversation, speaker, words, read_time(timestamp), due)
        if len(self._waiting) > MOST:
            del self._waiting[next(iter(self._waiting))]

    def end(self, conversation: str, block: Block, timestamp: str) -> tuple[str, str]:
        """Return who made the call that is answered, and what there is to say of it."""
        call = self._waiting.pop((conversation, block.tool_use_id), None)
        outcome = " ".join(filter(None, ["✗" if block.is_error else "✓", first_line(block.text or "")]))
        if call is None:
            return "tool", outcome
        answered = read_time(timestamp)
        took = [spoken_seconds((answered - call.at).total_seconds())] if answered and call.at else []
        return call.speaker, "  ".join([call.words, *took, outcome])

    @property
    def deadline(self) -> float:
        """When the next call is told of without an answer."""
        return min((call.due for call in self._waiting.values()), default=inf)

    def overdue(self) -> Iterator[Call]:
        """Yield the calls that nobody has answered in time, each once."""
        now = trio.current_time()
        for call in self._waiting.values():
            if call.due <= now:
                call.due = inf
                yield call
