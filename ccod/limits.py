"""How long a plugin may take. What takes longer is given up, and the plugin is named."""

from __future__ import annotations

import signal
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any, TypeVar

from msgspec import Struct

T = TypeVar("T")

STEPS = 10
MOST = 1000
"""So many things may stand in the answer to a hook."""


class Limits(Struct):
    """In seconds; for a process that is to be tried, they can be shorter. No setting, for nobody has to know them.

    `hook`: to be imported, or to answer a hook. `start`: until a service is ready; the daemon then goes on without it.
    `parse`: for one batch. `call`: for an answer of auth or cache. `storage`: for one of a storage: the longest of its
    steps derives a large conversation anew. `deliver`: for a sink to take some events. `blocked`: for the event loop to
    stand still, or somebody else's parser or prices within the storage. `mask`: for a redaction rule to compute on one
    text. `stop`: until the process ends although
    something does not.
    """

    hook: float = 20.0
    start: float = 30.0
    parse: float = 60.0
    call: float = 10.0
    storage: float = 300.0
    deliver: float = 300.0
    blocked: float = 30.0
    mask: float = 1.0
    stop: float = 10.0


LIMITS = Limits()


class Overdue(BaseException):
    """Raised within what takes too long. No Exception, so that a plugin's `except Exception` does not catch it."""


@contextmanager
def interrupted(seconds: float) -> Iterator[None]:
    """Raise Overdue in the body after so long, and again and again; only in the main thread, elsewhere never.

    The body must not wait for trio. May be nested: the time that the inner body takes is not counted in the outer.
    The time is counted in steps, as in `within`. What computes twice as long without looking for signals, as C code
    can, is ended by the kernel, and the whole process with it: see `ccod.dump`.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    rung = 0

    def ring(_number: int, _frame: object) -> None:
        nonlocal rung
        rung += 1
        if rung >= STEPS:
            raise Overdue(f"no answer within {seconds:g} seconds")

    handler = signal.signal(signal.SIGALRM, ring)
    alarm = signal.setitimer(signal.ITIMER_REAL, seconds / STEPS, seconds / STEPS)
    end = signal.setitimer(signal.ITIMER_PROF, 2 * seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, *end)
        signal.setitimer(signal.ITIMER_REAL, *alarm)
        signal.signal(signal.SIGALRM, handler)


def is_pressed(error: BaseException) -> bool:
    """Tell whether a person may have pressed Ctrl-C. While the daemon takes signals, only a plugin can raise that."""
    return isinstance(error, KeyboardInterrupt) and signal.getsignal(signal.SIGINT) is signal.default_int_handler


def apart(error: BaseException) -> tuple[BaseException | None, BaseException | None]:
    """Take apart what came out of a plugin: trio's cancellation, which must be raised on, and what is its own."""
    import trio

    if isinstance(error, BaseExceptionGroup):
        return error.split(trio.Cancelled)
    return (error, None) if isinstance(error, trio.Cancelled) else (None, error)


async def within(seconds: float, work: Callable[[], Awaitable[T]], late: T) -> T:
    """Return what `work` returns, or `late` where it took so long.

    The time is counted in steps: that the process or the machine stood still meanwhile counts for one of them.
    """
    import trio

    found = late

    async def do() -> None:
        nonlocal found
        found = await work()
        nursery.cancel_scope.cancel()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(do)
        for _ in range(STEPS):
            await trio.sleep(seconds / STEPS)
        nursery.cancel_scope.cancel()
    return found


def told(error: BaseException) -> str:
    """Tell an error that a plugin raised, in one line."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    text = str(error) if isinstance(error, Overdue) else f"{type(error).__name__}: {error}".removesuffix(": ")
    return " ".join(text.split())[:500]


def listed(answer: Iterable[T]) -> list[T]:
    """Return what an answer holds; raise ValueError for one without end."""
    found = list(islice(answer, MOST + 1))
    if len(found) > MOST:
        raise ValueError(f"more than {MOST} answers")
    return found


def answers(kind: type[T], answer: Any) -> T:
    """Return an answer that is of this kind; raise TypeError for any other."""
    if not isinstance(answer, kind):
        raise TypeError(f"{kind.__name__} is wanted, not {type(answer).__name__}")
    return answer
