"""An intake that keeps what a source sends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import trio

from ccod import Batch, Checkpoint, Progress, Reason, Stream

PATIENCE = 20


class MemoryIntake:
    """Keeps batches in memory as a storage would on disk, and refuses what no storage could join together."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.bytes: dict[str, bytes] = {}
        self.rest: dict[str, bytes] = {}
        self.streams: dict[str, tuple[Stream, Checkpoint]] = {}
        self.told = Progress()
        self.reasons: list[Reason] = []
        self.pause = 0.0
        self.takes_history = trio.Event()
        self.takes_history.set()
        self._sending: set[str] = set()
        self._news = trio.Event()

    async def checkpoints(self) -> Sequence[tuple[Stream, Checkpoint]]:
        return list(self.streams.values())

    async def send(self, batch: Batch) -> None:
        key = batch.stream.key
        assert key not in self._sending, "two tasks read one stream"
        self._sending.add(key)
        await trio.sleep(self.pause)
        if batch.history:
            await self.takes_history.wait()
        self._sending.remove(key)
        offset = len(self.bytes.get(key, b""))
        for record in batch.records:
            assert record.offset == offset, "records are not adjacent"
            offset += len(record.body)
        assert batch.checkpoint.offset == offset
        self.bytes[key] = self.bytes.get(key, b"") + b"".join(record.body for record in batch.records)
        if batch.records or batch.rest is not None:
            self.rest[key] = batch.rest or b""
        self.batches.append(batch)
        self.streams[key] = batch.stream, batch.checkpoint
        self._news.set()

    def progress(self, done: int, total: int) -> None:
        self.told = Progress(done, total)

    def tell(self, reasons: Sequence[Reason]) -> None:
        self.reasons = list(reasons)
        self._news.set()

    async def until(self, fulfilled: Callable[[], object]) -> None:
        with trio.fail_after(PATIENCE):
            while not fulfilled():
                self._news = trio.Event()
                await self._news.wait()

    async def has(self, key: Path | str, stored: bytes) -> None:
        await self.until(lambda: self.bytes.get(str(key)) == stored)

    def of(self, path: Path | str) -> list[Batch]:
        """Return the batches whose stream had this key."""
        return [batch for batch in self.batches if batch.stream.key == str(path)]

    def restarted(self) -> MemoryIntake:
        """Return an intake that knows what was stored, as after a restart."""
        other = MemoryIntake()
        other.streams = dict(self.streams)
        other.bytes = dict(self.bytes)
        other.rest = dict(self.rest)
        return other
