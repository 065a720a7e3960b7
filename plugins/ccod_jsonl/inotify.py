"""Watches folders by Linux's inotify, read through trio: no thread, no timer."""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType

import trio

from ccod import Reason
from ccod_jsonl.watching import Changed, Kind, unavailable

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
NO_ROOM = {errno.ENOSPC, errno.ENOMEM}
BUFFER_BYTES = 65_536
AGAIN_SECONDS = 5.0


class Inotify:
    """An inotify descriptor and the folders it watches. Where the system has none to give, it is asked again.

    `overflown` is called when the kernel had more to tell than it keeps, and dropped some of it.
    """

    kind: Kind = "inotify"

    def __init__(self, suffixes: Sequence[str], overflown: Callable[[], None]) -> None:
        self._endings = tuple(suffix.encode() for suffix in suffixes)
        self._overflown = overflown
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor = -1
        self._folders: dict[int, str] = {}
        self.trouble: Reason | None = None

    def __enter__(self) -> Inotify:
        self._open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)

    @property
    def folders(self) -> int:
        return len(self._folders)

    def enter(self, folder: str) -> bool:
        if self._descriptor < 0:
            return False
        watch = self._libc.inotify_add_watch(self._descriptor, os.fsencode(folder), WATCHED)
        if watch >= 0:
            self._folders[watch] = folder
            return True
        return _last_error().errno not in NO_ROOM

    async def run(self, changed: Changed) -> None:
        while self._descriptor < 0:
            await trio.sleep(AGAIN_SECONDS)
            self._open()
            if self._descriptor >= 0:
                changed(None)  # the scan that this leads to enters all folders
        while True:
            await trio.lowlevel.wait_readable(self._descriptor)
            for path in set(self._paths(os.read(self._descriptor, BUFFER_BYTES))):
                changed(path)

    def _open(self) -> None:
        self._descriptor = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        fix = "raise fs.inotify.max_user_instances, or the limit of open files (ulimit -n)"
        self.trouble = None if self._descriptor >= 0 else unavailable(f"inotify: {_last_error().strerror}", fix)

    def _paths(self, events: bytes) -> Iterator[str | None]:
        at = 0
        while at < len(events):
            watch, mask, _, length = HEADER.unpack_from(events, at)
            name = events[at + HEADER.size : at + HEADER.size + length].rstrip(b"\0")
            at += HEADER.size + length
            if mask & IN_Q_OVERFLOW:
                self._overflown()
            if mask & IN_IGNORED:
                self._folders.pop(watch, None)
            elif mask & DOUBTFUL:
                yield None
            elif name.endswith(self._endings):
                folder = self._folders.get(watch)
                yield f"{folder}/{os.fsdecode(name)}" if folder and not mask & WENT else None


def _last_error() -> OSError:
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number))
