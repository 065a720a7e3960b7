"""Watches whole trees by watchfiles, which works on every system."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import aclosing, suppress
from pathlib import Path

import structlog
import trio
from watchfiles import Change, awatch

from ccod_claude.layout import SUFFIXES
from ccod_claude.watching import Changed, Kind

LOOK_MS = 1000
"""So often it is checked that the watched roots are still those at their paths: a replaced one would be silent."""

log = structlog.get_logger("ccod.claude")
logging.getLogger("watchfiles.main").setLevel(logging.WARNING)


class TreeWatcher:
    """Watches those roots that are there."""

    kind: Kind = "watchfiles"
    folders = 0

    def __init__(self, roots: Sequence[str]) -> None:
        self._roots = roots
        self._told = ""

    def enter(self, folder: str) -> None:
        """Whole trees are watched, so a folder in them is nothing new."""

    async def run(self, changed: Changed) -> None:
        while True:
            present = self._present()
            try:
                if present:
                    await self._watch(present, changed)
            except* (OSError, RuntimeError) as group:
                self._tell(group.exceptions[0])
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
                for change, path in report:
                    if path.endswith(SUFFIXES):
                        changed(None if change is Change.deleted else path)
                    elif change is Change.added and await trio.Path(path).is_dir():
                        changed(None)
                if self._present() != present:
                    return

    def _tell(self, error: BaseException) -> None:
        reason = " ".join(str(error).split())
        if reason != self._told:
            self._told = reason
            log.warning("watchfiles fails, changes are found by scanning until it works again", reason=reason)

    def _present(self) -> dict[str, tuple[int, int]]:
        present: dict[str, tuple[int, int]] = {}
        for root in self._roots:
            with suppress(OSError):  # the scan tells of a root that is away or locked
                status = Path(root).stat()
                present[root] = status.st_dev, status.st_ino
        return present
