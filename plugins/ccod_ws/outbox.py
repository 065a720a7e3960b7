"""What waits to be sent to one client."""

from __future__ import annotations

from collections import deque

import trio

from ccod_ws.protocol import Frame

MAX_FRAMES = 1_000
MAX_BYTES = 8 * 1024 * 1024


class Outbox:
    """A queue of frames for one reader, bounded in number and bytes. A frame larger than that passes alone."""

    def __init__(self, max_frames: int = MAX_FRAMES, max_bytes: int = MAX_BYTES) -> None:
        self._max_frames = max_frames
        self._max_bytes = max_bytes
        self._frames: deque[Frame] = deque()
        self._bytes = 0
        self._closed = False
        self._changed = trio.Event()

    def put(self, frame: Frame) -> bool:
        """Add a frame at the end; return False where there is no room. A closed outbox takes and forgets it."""
        if self._closed:
            return True
        full = len(self._frames) >= self._max_frames or self._bytes + frame.size > self._max_bytes
        if full and self._frames:
            return False
        self._frames.append(frame)
        self._note(frame.size)
        return True

    def put_first(self, frame: Frame) -> None:
        """Add a small frame before all others, room or not."""
        if not self._closed:
            self._frames.appendleft(frame)
            self._note(frame.size)

    async def get(self) -> Frame | None:
        """Wait for the next frame; return None once the outbox is closed and empty."""
        while not self._frames:
            if self._closed:
                return None
            self._changed = trio.Event()
            await self._changed.wait()
        frame = self._frames.popleft()
        self._bytes -= frame.size
        return frame

    def clear(self) -> None:
        self._frames.clear()
        self._bytes = 0

    def close(self) -> None:
        """Take no more; what waits may still be had."""
        self._closed = True
        self._changed.set()

    def _note(self, size: int) -> None:
        self._bytes += size
        self._changed.set()
