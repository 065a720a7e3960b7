"""Where the stacks go of a process that has to end, so that the next one can tell who did it: see `ccod.past`.

The handlers are C code, and run although somebody holds the interpreter's lock: on SIGPROF, which a timer of the kernel
sends to a process that computes and does nothing else; on SIGABRT, by which systemd ends a service that is silent; and
on a crash.
"""

from __future__ import annotations

import faulthandler
import os
import signal
from contextlib import suppress
from pathlib import Path

DUMP = "blocked.txt"
ALIVE = "the event loop runs"

_files: list[int] = []


def note_alive() -> None:
    """Note that the event loop runs, though all is not well: whom systemd ends then holds nothing."""
    for file in _files:
        os.write(file, f"{ALIVE}\n".encode())


def open_dump(folder: Path) -> int:
    """Return the file for the stacks of this process, which is kept open. What stands in it is left there."""
    if not _files:
        with suppress(OSError):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            file = os.open(folder / DUMP, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        except OSError:
            file = os.dup(2)  # nobody is blamed then, but the log tells
        _files.append(file)
        faulthandler.enable(file=file, all_threads=True)
        faulthandler.register(signal.SIGPROF, file=file, all_threads=True, chain=True)
    return _files[0]
