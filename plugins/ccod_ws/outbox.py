"""What waits to be sent to one client."""

from __future__ import annotations

from collections import deque

import trio

from ccod_ws.frames import Frame

MAX_FRAMES = 1_000
MAX_BYTES = 8 * 1024 * 1024
JOINED_BYTES = 128 * 1024
"""How much goes out in one write."""


class Outbox:
    """A queue of frames for one reader, bounded in number and bytes. A frame larger than that passes alone."""

    def __init__(self, max_frames: int = MAX_FRAMES, max_bytes: int = MAX_BYTES) -> None:
        self._max_frames = max_frames
        self._max_bytes = max_bytes
        self._frames: deque[Frame] = deque()
        self._bytes = 0
        self._changed = trio.Event()
        self.closed = False

    def __len__(self) -> int:
        return len(self._frames)

    @property
    def bytes(self) -> int:
        return self._bytes

    def put(self, frame: Frame) -> bool:
        """Add a frame at the end; return False where there is no room. A closed outbox takes and forgets it."""
        if self.closed:
            return True
        full = len(self._frames) >= self._max_frames or self._bytes + frame.size > self._max_bytes
        if full and self._frames:
            return False
        self._frames.append(frame)
        self._note(frame.size)
        return True

    def put_anyway(self, frame: Frame, *, first: bool = False) -> None:
        """Add a small frame, room or not: of these there are never many."""
        if not self.closed:
            (self._frames.appendleft if first else self._frames.append)(frame)
            self._note(frame.size)

    def take(self) -> list[Frame]:
        """Return the first frames, as many as go out together."""
        taken: list[Frame] = []
        size = 0
        while self._frames and (not taken or size + self._frames[0].size <= JOINED_BYTES):
            taken.append(self._frames.popleft())
            size += taken[-1].size
        self._bytes -= size
        return taken

    async def changed(self) -> None:
        """Wait until something was put in, the outbox was closed, or `wake` called."""
        self._changed = trio.Event()
        await self._changed.wait()

    def wake(self) -> None:
        self._changed.set()

    def clear(self) -> None:
        self._frames.clear()
        self._bytes = 0

    def close(self) -> None:
        """Take no more; what waits may still be had."""
        self.closed = True
        self._changed.set()

    def _note(self, size: int) -> None:
        self._bytes += size
        self._changed.set()
