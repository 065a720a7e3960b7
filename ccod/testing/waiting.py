"""Waits that have a limit, and say what they waited for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import trio

T = TypeVar("T")


@contextmanager
def limit(seconds: float, awaited: str) -> Iterator[None]:
    """Fail when the block takes longer than `seconds`."""
    with trio.move_on_after(seconds) as scope:
        yield
    if scope.cancelled_caught:
        raise AssertionError(f"no {awaited} within {seconds:g} seconds")


async def eventually(probe: Callable[[], Awaitable[T | None]], awaited: str, seconds: float = 20) -> T:
    """Ask again and again until the answer is true, and return it; the longer it takes, the less often."""
    pause = 0.02
    with limit(seconds, awaited):
        while not (answer := await probe()):
            await trio.sleep(pause)
            pause = min(1.5 * pause, 0.1)
    return answer
