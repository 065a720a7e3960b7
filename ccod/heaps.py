"""Keeps the daemon's memory from growing with the number of threads that ever ran at a time."""

from __future__ import annotations

import ctypes
from contextlib import suppress

_ARENA_MAX = -8  # M_ARENA_MAX of glibc's <malloc.h>


def share() -> None:
    """Let all threads share one heap, where glibc would give one to each, up to eight for every processor.

    None of those is given back, and what a thread freed in its own no other thread can use. Other C libraries have no
    such heaps. See mallopt(3).
    """
    with suppress(AttributeError):  # no mallopt: another C library
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 1)
