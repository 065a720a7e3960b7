"""However many threads run at a time, they share one heap."""

from __future__ import annotations

import platform
import subprocess
import sys
from itertools import pairwise

import pytest

THREADS = 8
IN_THREADS = f"""
import sys, threading
from ccod import heaps
if sys.argv[1] == "shared":
    heaps.share()
all_are_there = threading.Barrier({THREADS})
def work():
    kept = [bytes(10_000) for _ in range(100)]
    all_are_there.wait()
threads = [threading.Thread(target=work) for _ in range({THREADS})]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(open("/proc/self/maps").read())
"""
HEAP_BYTES = 64 * 2**20
"""glibc reserves so much for each heap but the first, at an address that it divides, and opens the beginning of it."""

pytestmark = pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc" or sys.maxsize < 2**32, reason="only glibc has a heap for each thread"
)


def heaps_of_threads(how: str) -> int:
    """Return how many heaps there are beside the first one."""
    maps = subprocess.run([sys.executable, "-c", IN_THREADS, how], capture_output=True, text=True, check=True).stdout
    areas = []
    for line in maps.split("\n"):
        if line:
            start, end = (int(address, 16) for address in line.split()[0].split("-"))
            areas.append((start, end, line.split()[1]))
    return sum(
        one[0] % HEAP_BYTES == 0 and one[1] == other[0] and other[1] - one[0] == HEAP_BYTES and other[2] == "---p"
        for one, other in pairwise(areas)
    )


def test_threads_share_one_heap() -> None:
    assert heaps_of_threads("shared") == 0


def test_without_that_each_has_its_own() -> None:
    assert heaps_of_threads("apart") > 1
