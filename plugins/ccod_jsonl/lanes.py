"""Who is read next: transcripts that grow now are never behind those of the past."""

from __future__ import annotations

import math
from collections import OrderedDict

import trio

from ccod_jsonl.transcripts import Transcript


class Lane:
    """Transcripts that wait to be read, each once."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[Transcript, None] = OrderedDict()
        self._takers = trio.lowlevel.ParkingLot()

    def put(self, transcript: Transcript, *, first: bool) -> None:
        self._waiting[transcript] = None
        if first:
            self._waiting.move_to_end(transcript, last=False)
        self._takers.unpark()

    async def take(self) -> Transcript:
        while not self._waiting:
            await self._takers.park()
        return self._waiting.popitem(last=False)[0]


class Checks:
    """Transcripts that are to be checked once nothing was put in of them for a while."""

    def __init__(self, pause: float) -> None:
        self._pause = pause
        self._due: dict[Transcript, float] = {}
        self._changed = trio.Event()

    def put(self, transcript: Transcript, *, at_once: bool) -> None:
        self._due[transcript] = trio.current_time() + (0 if at_once else self._pause)
        self._changed.set()

    async def take(self) -> Transcript:
        while True:
            self._changed = trio.Event()
            due = min(self._due.values(), default=math.inf)
            with trio.move_on_at(due):
                await self._changed.wait()
                continue
            transcript = min(self._due, key=self._due.__getitem__)
            del self._due[transcript]
            return transcript


class Lanes:
    """One lane for news, one for history: a transcript waits in one of them, or is held by the task that reads it.

    Beside them wait those that are to be checked.
    """

    def __init__(self, check_after: float) -> None:
        self.live = Lane()
        self.history = Lane()
        self.checks = Checks(check_after)

    def put(self, transcript: Transcript, *, first: bool = False) -> None:
        """Let `transcript` be read: of the past the one that was put `first`, of news each in its turn."""
        if transcript.held:
            transcript.again = True
        elif transcript.is_history:
            self.history.put(transcript, first=first)
        else:
            self.live.put(transcript, first=False)
