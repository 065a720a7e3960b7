"""Tells at once that files may have changed. A hint, never the truth: a watcher may miss what it likes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Literal, Protocol, get_args

import trio

from ccod import Reason

Kind = Literal["inotify", "watchfiles", "none"]
KINDS: tuple[Kind, ...] = get_args(Kind)

Changed = Callable[[str | None], None]
"""Called with the path of a transcript that may have changed, or None where anything may have."""


class Watcher(Protocol):
    """Watches folders: `folders` of them, where it watches each by itself.

    `trouble` is why none of them is watched at the moment, although they should be.
    """

    @property
    def kind(self) -> Kind: ...

    @property
    def folders(self) -> int: ...

    @property
    def trouble(self) -> Reason | None: ...

    def enter(self, folder: str) -> bool:
        """Watch a folder from now on; called in a thread, again and again, for each folder that a scan comes to.

        Return False where there is no room for another watch, so that only the scan will see what changes there.
        """

    async def run(self, changed: Changed) -> None:
        """Tell of changes until cancelled."""


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


def unavailable(reason: str, fix: str) -> Reason:
    """Say that nothing tells of changes at the moment."""
    return Reason("WATCH_UNAVAILABLE", f"changes are found by scanning alone, and later: {reason}", fix)
