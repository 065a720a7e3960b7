"""Who is read next: transcripts that grow now are never behind those of the past."""

from __future__ import annotations

from collections import OrderedDict

import trio

from ccod_claude.transcripts import Transcript


class Lane:
    """Transcripts that wait to be read, each once."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[Transcript, None] = OrderedDict()
        self._filled = trio.Event()

    def put(self, transcript: Transcript, *, first: bool) -> None:
        self._waiting[transcript] = None
        if first:
            self._waiting.move_to_end(transcript, last=False)
        self._filled.set()

    async def take(self) -> Transcript:
        while not self._waiting:
            self._filled = trio.Event()
            await self._filled.wait()
        return self._waiting.popitem(last=False)[0]


class Lanes:
    """One lane for news, one for history: a transcript waits in one of them, or is held by the task that reads it."""

    def __init__(self) -> None:
        self.live = Lane()
        self.history = Lane()

    def put(self, transcript: Transcript, *, first: bool = False) -> None:
        """Let `transcript` be read: of the past the one that was put `first`, of news each in its turn."""
        if transcript.held:
            transcript.again = True
        elif transcript.is_history:
            self.history.put(transcript, first=first)
        else:
            self.live.put(transcript, first=False)
