"""Five-hour blocks, by which Claude's limits are counted: pure arithmetic over what was used, in the order of time."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from ccod import Stretch, Totals, is_notice

HOUR_MS = 3_600_000
BLOCK_MS = 5 * HOUR_MS


class UsageBlock(Struct):
    """What was used from `start` to before `end`. A gap, in which nothing was, has no first and last response."""

    start: int
    end: int
    first_at: int | None = None
    last_at: int | None = None
    totals: Totals = Totals()
    models: tuple[str, ...] = ()

    @property
    def is_gap(self) -> bool:
        return self.first_at is None

    def is_active(self, now: int) -> bool:
        return now < self.end and self.last_at is not None and now - self.last_at < BLOCK_MS


def blocks_of(stretches: Iterable[Stretch]) -> list[UsageBlock]:
    """Return blocks of what was used, by time, and a gap wherever nothing joins two of them."""
    blocks: list[UsageBlock] = []
    for stretch in stretches:
        block = blocks[-1] if blocks else None
        if block is None or _is_beyond(block, stretch.first_at):
            start = stretch.first_at - stretch.first_at % HOUR_MS
            if block is not None and block.end < start:
                blocks.append(UsageBlock(block.end, start))
            block = UsageBlock(start, start + BLOCK_MS, stretch.first_at, stretch.last_at)
            blocks.append(block)
        block.last_at = max(block.last_at or 0, stretch.last_at)
        block.totals += stretch.totals
        if not is_notice(stretch.model) and stretch.model not in block.models:
            block.models += (stretch.model,)
    return blocks


def _is_beyond(block: UsageBlock, at: int) -> bool:
    return at - block.start > BLOCK_MS or at - (block.last_at or block.start) > BLOCK_MS
