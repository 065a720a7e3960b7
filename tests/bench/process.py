"""What the kernel says of a running process."""

from __future__ import annotations

import os
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """Return the processor time of the process and its children that have ended, in user and kernel mode."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / TICKS


def rss(pid: int) -> int:
    """Return the resident memory in bytes."""
    return _status(pid, "VmRSS")


def peak_rss(pid: int) -> int:
    """Return the largest resident memory there ever was, in bytes."""
    return _status(pid, "VmHWM")


def read_bytes(pid: int) -> int:
    """Return how many bytes the process has read by system calls so far."""
    return _number(Path(f"/proc/{pid}/io"), "rchar")


def open_files(pid: int) -> int:
    """Return how many files, sockets and pipes the process has open."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def threads(pid: int) -> int:
    """Return how many threads the process has."""
    return _number(Path(f"/proc/{pid}/status"), "Threads")


def _status(pid: int, name: str) -> int:
    return _number(Path(f"/proc/{pid}/status"), name) * 1024


def _number(path: Path, name: str) -> int:
    for line in path.read_text().splitlines():
        key, _, value = line.partition(":")
        if key == name:
            return int(value.split()[0])
    raise LookupError(f"{path} has no {name}")
