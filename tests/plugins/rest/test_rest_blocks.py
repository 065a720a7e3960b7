"""Five-hour blocks: every response in one of them, however they are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from operator import attrgetter

from hypothesis import given
from hypothesis import strategies as st

from ccod import QUARTER_MS, Stretch, Totals, Usage
from ccod.testing.shelf import Shelf
from ccod_rest import usage
from ccod_rest.blocks import BLOCK_MS, HOUR_MS, UsageBlock, blocks_of

HOURS = st.integers(0, 60).map(lambda half_hours: half_hours * HOUR_MS // 2)
TIMES = st.lists(HOURS | st.integers(0, 40 * HOUR_MS), max_size=30).map(sorted)


def stretches(times: Sequence[int]) -> list[Stretch]:
    """Return each response as a stretch of its own; every third is of another model."""
    return [Stretch("small" if at % 3 == 1 else "large", at, at, Totals(Usage(1), 1, 1)) for at in times]


def by_quarters(times: Sequence[int]) -> list[Stretch]:
    """Return stretches as a storage tells them: one for each model and quarter."""
    found: dict[tuple[int, str], Stretch] = {}
    for each in stretches(times):
        key = (each.first_at - 1) // QUARTER_MS, each.model
        before = found.get(key, Stretch(each.model, each.first_at, 0, Totals()))
        found[key] = Stretch(each.model, before.first_at, each.last_at, before.totals + each.totals)
    return sorted(found.values(), key=attrgetter("first_at"))


def blocks(times: Sequence[int]) -> list[UsageBlock]:
    return blocks_of(stretches(times))


def test_a_block_begins_with_the_hour_of_its_first_response_and_lasts_five() -> None:
    hour, minute = HOUR_MS, HOUR_MS // 60
    first, second, gap, third = blocks(
        [10 * hour + 59 * minute, 15 * hour, 15 * hour + 1, 20 * hour, 21 * hour + minute, 21 * hour + 2 * minute]
    )
    assert (first.start, first.end, first.last_at) == (10 * hour, 15 * hour, 15 * hour)
    assert (second.start, second.first_at, second.last_at) == (15 * hour, 15 * hour + 1, 20 * hour)
    assert (gap.is_gap, gap.start, gap.end) == (True, 20 * hour, 21 * hour)
    assert (third.start, third.totals.response_count) == (21 * hour, 2)


def test_a_notice_counts_but_no_model_made_it() -> None:
    found = blocks_of([Stretch("<synthetic>", 2, 2, Totals(response_count=1)), *stretches([3])])
    assert [(block.models, block.totals.response_count) for block in found] == [(("large",), 2)]


def test_a_block_is_active_while_it_lasts_and_its_last_response_is_not_long_ago() -> None:
    (block,) = blocks([HOUR_MS // 2])
    assert block.is_active(BLOCK_MS - 1)
    assert not block.is_active(BLOCK_MS)
    assert not UsageBlock(0, BLOCK_MS).is_active(1)


@given(TIMES)
def test_blocks_hold_every_response_once(times: list[int]) -> None:
    found = blocks(times)
    full = [block for block in found if not block.is_gap]
    assert sum((block.totals for block in full), Totals()) == Totals(Usage(len(times)), len(times), len(times))
    for block in full:
        held = [at for at in times if block.first_at is not None and block.first_at <= at <= (block.last_at or 0)]
        assert len(held) == block.totals.response_count
        assert block.start % HOUR_MS == 0
        assert block.start <= held[0] < block.start + HOUR_MS
        assert held[-1] - block.start <= BLOCK_MS
    for before, after in pairwise(found):
        assert before.end <= after.start or before.last_at is not None
        assert before.start < after.start
        assert not (before.is_gap and after.is_gap)
    for gap in found:
        assert not gap.is_gap or not any(gap.start < at < gap.end for at in times)


@given(TIMES)
def test_blocks_of_sums_are_those_of_each_response(times: list[int]) -> None:
    assert blocks_of(by_quarters(times)) == blocks(times)


@given(times=TIMES, since=st.integers(0, 40 * HOUR_MS))
async def test_blocks_since_some_time_are_the_last_of_all(times: list[int], since: int) -> None:
    shelf = Shelf()
    shelf.all_used = stretches(times)
    every = blocks(times)
    some = await usage.read_blocks(shelf, since, None)
    full = [block for block in some if not block.is_gap]
    assert full == [block for block in every if not block.is_gap and block.end > since]
    assert all(block in every for block in some)
