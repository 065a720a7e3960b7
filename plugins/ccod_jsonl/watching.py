"""Tells at once that files may have changed. A hint, never the truth: a watcher may miss what it likes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Literal, Protocol

import structlog
import trio

Kind = Literal["auto", "inotify", "watchfiles", "none"]

Changed = Callable[[str | None], None]
"""Called with the path of a transcript that may have changed, or None where anything may have."""

log = structlog.get_logger("ccod.jsonl")


class Watcher(Protocol):
    """Watches folders."""

    def enter(self, folder: str) -> None:
        """Watch a folder from now on; called in a thread, again and again, for each folder that a scan comes to."""

    async def run(self, changed: Changed) -> None:
        """Tell of changes until cancelled."""


class NoWatcher:
    """Leaves everything to the scan."""

    def enter(self, folder: str) -> None:
        pass

    async def run(self, changed: Changed) -> None:  # noqa: ARG002
        await trio.sleep_forever()


@contextmanager
def open_watcher(kind: Kind, roots: Sequence[str], suffixes: tuple[str, ...]) -> Iterator[Watcher]:
    """Open the watcher of this kind, for files with these suffixes; without inotify to be had there is none."""
    if kind == "auto":
        kind = "inotify" if sys.platform == "linux" else "watchfiles"
    if kind == "inotify":
        from ccod_jsonl.inotify import Inotify

        try:
            inotify = Inotify(suffixes)
        except OSError as error:
            log.warning("inotify is not available, changes are found by scanning", reason=error.strerror)
        else:
            with inotify:
                yield inotify
            return
    elif kind == "watchfiles":
        from ccod_jsonl.trees import TreeWatcher

        yield TreeWatcher(roots, suffixes)
        return
    yield NoWatcher()
