"""Watches folders by Linux's inotify, read through trio: no thread, no timer."""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from collections.abc import Iterator
from types import TracebackType

import structlog
import trio

from ccod_claude.layout import SUFFIXES
from ccod_claude.watching import Changed, Kind

IN_MODIFY = 0x2
IN_MOVED_FROM = 0x40
IN_MOVED_TO = 0x80
IN_CREATE = 0x100
IN_DELETE = 0x200
IN_DELETE_SELF = 0x400
IN_MOVE_SELF = 0x800
IN_Q_OVERFLOW = 0x4000
IN_IGNORED = 0x8000
IN_ONLYDIR = 0x1000000
IN_ISDIR = 0x40000000

WATCHED = IN_MODIFY | IN_MOVED_FROM | IN_MOVED_TO | IN_CREATE | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR
WENT = IN_MOVED_FROM | IN_DELETE
DOUBTFUL = IN_ISDIR | IN_Q_OVERFLOW | IN_DELETE_SELF | IN_MOVE_SELF
HEADER = struct.Struct("iIII")
BUFFER = 65_536
ENDINGS = tuple(suffix.encode() for suffix in SUFFIXES)

log = structlog.get_logger("ccod.claude")


class Inotify:
    """An inotify descriptor and the folders it watches."""

    kind: Kind = "inotify"

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._descriptor < 0:
            raise _last_error()
        self._folders: dict[int, str] = {}
        self._warned = False

    def __enter__(self) -> Inotify:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        os.close(self._descriptor)

    @property
    def folders(self) -> int:
        return len(self._folders)

    def enter(self, folder: str) -> None:
        watch = self._libc.inotify_add_watch(self._descriptor, os.fsencode(folder), WATCHED)
        if watch >= 0:
            self._folders[watch] = folder
        elif _last_error().errno == errno.ENOSPC and not self._warned:
            self._warned = True
            log.warning(
                "too many folders to watch, changes in the others are found by scanning;"
                " raise fs.inotify.max_user_watches",
                watched=len(self._folders),
            )

    async def run(self, changed: Changed) -> None:
        while True:
            await trio.lowlevel.wait_readable(self._descriptor)
            for path in set(self._paths(os.read(self._descriptor, BUFFER))):
                changed(path)

    def _paths(self, events: bytes) -> Iterator[str | None]:
        at = 0
        while at < len(events):
            watch, mask, _, length = HEADER.unpack_from(events, at)
            name = events[at + HEADER.size : at + HEADER.size + length].rstrip(b"\0")
            at += HEADER.size + length
            if mask & IN_IGNORED:
                self._folders.pop(watch, None)
            elif mask & DOUBTFUL:
                yield None
            elif name.endswith(ENDINGS):
                folder = self._folders.get(watch)
                yield f"{folder}/{os.fsdecode(name)}" if folder and not mask & WENT else None


def _last_error() -> OSError:
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number))
