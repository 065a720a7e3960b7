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

from ccod.files import make_private_folder

DUMP = "blocked.txt"
ALIVE = "the event loop runs"

_files: dict[int, bool] = {}
"""The file that this process has open, and whether `ALIVE` stands in it."""


def note_alive(*, is_well: bool) -> None:
    """Note that the event loop runs while all is not well: whoever systemd ends then holds nothing."""
    for file, noted in _files.items():
        if noted == is_well:
            os.ftruncate(file, 0)
            os.write(file, b"" if is_well else f"{ALIVE}\n".encode())
            _files[file] = not is_well


def open_dump(folder: Path) -> int:
    """Return the file for the stacks of this process, which is kept open. What stands in it is left there."""
    for file in _files:
        return file
    with suppress(OSError):
        make_private_folder(folder)
    try:
        file = os.open(folder / DUMP, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        _files[file] = False
    except OSError:
        file = 2  # nobody is blamed then, but the log tells
    faulthandler.enable(file=file, all_threads=True)
    faulthandler.register(signal.SIGPROF, file=file, all_threads=True, chain=True)
    return file
