"""Chooses what tells of changes: inotify, what watchfiles has for this system, or nothing but the scan."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Literal

import trio

from ccod_jsonl.watching import Changed, Kind, Watcher


class NoWatcher:
    """Leaves everything to the scan, as was asked for."""

    kind: Kind = "none"
    folders = 0

    trouble = None

    def enter(self, folder: str) -> bool:  # noqa: ARG002
        return True

    async def run(self, changed: Changed) -> None:  # noqa: ARG002
        await trio.sleep_forever()


@contextmanager
def open_watcher(
    kind: Literal["auto"] | Kind, roots: Sequence[str], suffixes: tuple[str, ...], overflown: Callable[[], None]
) -> Iterator[Watcher]:
    """Open the watcher of this kind, for files with these suffixes; only inotify can tell that it has `overflown`."""
    if kind == "auto":
        kind = "inotify" if sys.platform == "linux" else "watchfiles"
    if kind == "inotify":
        from ccod_jsonl.inotify import Inotify

        with Inotify(suffixes, overflown) as inotify:
            yield inotify
    elif kind == "watchfiles":
        from ccod_jsonl.trees import TreeWatcher

        yield TreeWatcher(roots, suffixes)
    else:
        yield NoWatcher()
