"""The arithmetic of a quota, on a clock of its own."""

from __future__ import annotations

import pytest
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

from ccod_http.quota import MOST_CALLERS, Quota, seconds


@pytest.mark.parametrize(("most", "window"), [(1, 1.0), (7, 60.0), (100, 900.0), (3000, 60.0)])
async def test_the_last_of_a_quota_is_within_it_and_the_next_is_not(
    most: int, window: float, mock_clock: trio.testing.MockClock
) -> None:
    quota = Quota(most, window)
    for number in range(most):
        verdict = quota.take("a")
        assert (verdict.within, verdict.remaining) == (True, most - number - 1)
    refused = quota.take("a")
    assert (refused.within, refused.remaining) == (False, 0)
    assert quota.take("b").within
    mock_clock.jump(refused.next_in * 0.99)
    assert not quota.take("a").within
    mock_clock.jump(refused.next_in * 0.02)
    assert quota.take("a").within
    assert not quota.take("a").within
    mock_clock.jump(window)
    assert quota.take("a").remaining == most - 1


@given(most=st.integers(1, 50), pauses=st.lists(st.floats(0, 5), max_size=200))
def test_no_window_holds_more_than_two_quotas(most: int, pauses: list[float]) -> None:
    window = 10.0

    async def ask() -> list[float]:
        quota, taken = Quota(most, window), []
        for pause in pauses:
            clock.jump(pause)
            if quota.take("a").within:
                taken.append(trio.current_time())
        return taken

    clock = trio.testing.MockClock()
    taken = trio.run(ask, clock=clock)
    for begin in taken:
        assert sum(begin <= at < begin + window for at in taken) <= 2 * most


async def test_memory_is_bounded_and_forgets_who_asked_longest_ago() -> None:
    quota = Quota(1, 3600.0)
    for number in range(MOST_CALLERS + 1):
        assert quota.take(str(number)).within
    assert quota.take("0").within
    assert not quota.take(str(MOST_CALLERS)).within


@pytest.mark.parametrize(("duration", "whole"), [(0, 0), (0.2, 1), (1, 1), (59.9999999, 60), (60.001, 61)])
def test_headers_state_whole_seconds_rounded_up(duration: float, whole: int) -> None:
    assert seconds(duration) == whole
