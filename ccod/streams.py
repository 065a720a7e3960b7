"""The standard streams of a command, as careless parents and impatient readers leave them."""

from __future__ import annotations

import io
import os
import stat
import sys
from collections.abc import Mapping
from typing import NoReturn, TextIO

READ_NO_FURTHER = 141
"""The exit code when who reads the output goes away before its end, as `head` does: that of SIGPIPE in a shell."""


def open_missing() -> None:
    """Open what a careless parent closed, before a socket or a database takes its number."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free
            setattr(sys, name, os.fdopen(number, mode, closefd=False))


def end_quietly(stream: TextIO) -> TextIO:
    """Return what writes to the same file; who reads too little of it ends the process without a word.

    Death by SIGPIPE would do that too, and would leave behind what commands clean up.
    """
    number = stream.fileno()
    mode = os.fstat(number).st_mode
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
        return stream
    return io.TextIOWrapper(
        io.BufferedWriter(_Pipe(number, "w", closefd=False)), encoding=stream.encoding, errors=stream.errors
    )


def is_journal(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Tell whether systemd's journal reads `stream`: systemd.exec(5)."""
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return environ.get("JOURNAL_STREAM", "") == f"{status.st_dev}:{status.st_ino}"


def let_go(number: int) -> None:
    """Send to nowhere what would still be written to a pipe that nobody reads."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)


class _Pipe(io.FileIO):
    """A pipe whose end is no error of whoever writes; see `end_quietly`."""

    def write(self, data: object, /) -> int:
        try:
            return super().write(data)  # type: ignore[arg-type]
        except BrokenPipeError:
            self._end()

    def _end(self) -> NoReturn:
        let_go(self.fileno())
        raise SystemExit(READ_NO_FURTHER)
