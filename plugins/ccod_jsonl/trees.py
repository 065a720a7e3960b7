"""Watches whole trees by watchfiles, which works on every system."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import aclosing, suppress
from pathlib import Path

import trio
from watchfiles import Change, awatch

from ccod import Reason
from ccod_jsonl.watching import Changed, Kind, unavailable

LOOK_MS = 1000
"""So often it is checked that the watched roots are still those at their paths: a replaced one would be silent."""

FIX = "raise the system's limits for watching files"

logging.getLogger("watchfiles.main").setLevel(logging.WARNING)


class TreeWatcher:
    """Watches those roots that are there."""

    kind: Kind = "watchfiles"
    folders = 0

    def __init__(self, roots: Sequence[str], suffixes: tuple[str, ...]) -> None:
        self._suffixes = suffixes
        self._roots = roots
        self.trouble: Reason | None = None

    def enter(self, folder: str) -> bool:  # noqa: ARG002
        """Whole trees are watched, so a folder in them is nothing new."""
        return True

    async def run(self, changed: Changed) -> None:
        while True:
            present = self._present()
            try:
                if present:
                    await self._watch(present, changed)
            except* (OSError, RuntimeError) as group:
                self.trouble = unavailable(f"watchfiles: {' '.join(str(group.exceptions[0]).split())}", FIX)
            await trio.sleep(LOOK_MS / 1000)

    async def _watch(self, present: Mapping[str, tuple[int, int]], changed: Changed) -> None:
        """Watch until other roots are present. What happened before the first report may have been missed."""
        watch = awatch(
            *present,
            watch_filter=None,
            debounce=50,
            step=10,
            rust_timeout=LOOK_MS,
            yield_on_timeout=True,
            ignore_permission_denied=True,
        )
        async with aclosing(watch) as reports:
            changed(None)
            async for report in reports:
                self.trouble = None
                for change, path in report:
                    if path.endswith(self._suffixes):
                        changed(None if change is Change.deleted else path)
                    elif change is Change.added and await trio.Path(path).is_dir():
                        changed(None)
                if self._present() != present:
                    return

    def _present(self) -> dict[str, tuple[int, int]]:
        present: dict[str, tuple[int, int]] = {}
        for root in self._roots:
            with suppress(OSError):  # the scan tells of a root that is away or locked
                status = Path(root).stat()
                present[root] = status.st_dev, status.st_ino
        return present
