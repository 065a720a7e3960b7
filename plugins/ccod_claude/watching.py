"""Tells at once that files may have changed. A hint, never the truth: a watcher may miss what it likes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Literal, Protocol, get_args

import structlog
import trio

Changed = Callable[[str | None], None]
"""Called with the path of a transcript that may have changed, or None where anything may have."""

Kind = Literal["inotify", "watchfiles", "none"]
KINDS: tuple[Kind, ...] = get_args(Kind)

log = structlog.get_logger("ccod.claude")


class Watcher(Protocol):
    """Watches folders. `folders` is how many of them, where it watches each by itself."""

    @property
    def kind(self) -> Kind: ...

    @property
    def folders(self) -> int: ...

    def enter(self, folder: str) -> None:
        """Watch a folder from now on; called in a thread, again and again, for each folder that a scan comes to."""

    async def run(self, changed: Changed) -> None:
        """Tell of changes until cancelled."""


class NoWatcher:
    """Leaves everything to the scan."""

    kind: Kind = "none"
    folders = 0

    def enter(self, folder: str) -> None:
        pass

    async def run(self, changed: Changed) -> None:  # noqa: ARG002
        await trio.sleep_forever()


@contextmanager
def open_watcher(kind: Literal["auto", "inotify", "watchfiles", "none"], roots: Sequence[str]) -> Iterator[Watcher]:
    """Open the watcher of this kind; without inotify to be had there is none."""
    if kind == "auto":
        kind = "inotify" if sys.platform == "linux" else "watchfiles"
    if kind == "inotify":
        from ccod_claude.inotify import Inotify

        try:
            inotify = Inotify()
        except OSError as error:
            log.warning("inotify is not available, changes are found by scanning", reason=error.strerror)
        else:
            with inotify:
                yield inotify
            return
    elif kind == "watchfiles":
        from ccod_claude.trees import TreeWatcher

        yield TreeWatcher(roots)
        return
    yield NoWatcher()
