"""Looks for changes: at every file now and then, and at once where a watcher tells of one."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import structlog
import trio

from ccod_claude.catalogue import MISSES, Catalogue
from ccod_claude.files import look, survey
from ccod_claude.lanes import Lanes
from ccod_claude.layout import readable
from ccod_claude.settings import ClaudeSettings
from ccod_claude.watching import Watcher

SHARE = 100
"""A pause is at least so many times as long as the scan before it: scanning takes at most 1 % of the time."""

log = structlog.get_logger("ccod.claude")


class Scanner:
    """Puts transcripts that must be read into their lanes."""

    def __init__(
        self,
        settings: ClaudeSettings,
        roots: list[str],
        catalogue: Catalogue,
        lanes: Lanes,
        watcher: Watcher,
    ) -> None:
        self._settings = settings
        self._roots = roots
        self._catalogue = catalogue
        self._lanes = lanes
        self._watcher = watcher
        self._news = trio.Event()
        self._strange: set[str] = set()
        self._in_doubt = False
        self._active = False
        self._took = 0.0
        self._warned: set[str] = set()

    @property
    def blind(self) -> int:
        """How many folders could not be looked into."""
        return len(self._warned)

    def hint(self, path: str | None) -> None:
        """A file may have changed; without a path, any."""
        self._active = True
        transcript = self._catalogue.at(readable(path)) if path else None
        if transcript is not None and not transcript.misses:
            self._lanes.put(transcript, first=True)
            return
        if path:
            self._strange.add(path)
        else:
            self._in_doubt = True
        self._news.set()

    async def survey(self) -> None:
        """Look at every file."""
        began = trio.current_time()
        self._strange.clear()
        self._in_doubt = False
        seen = await trio.to_thread.run_sync(survey, self._roots, self._watcher.enter)
        self._tell_blind(seen.blind)
        changed = self._catalogue.note(seen.found, all_paths={found.path: found for found in seen.found})
        missed = self._catalogue.miss(seen)
        for transcript in changed:
            self._lanes.put(transcript)
        for transcript in missed:
            if transcript.misses >= MISSES:
                self._lanes.put(transcript)
            else:
                self._in_doubt = True
        self._active |= bool(changed or missed)
        self._took = trio.current_time() - began

    async def serve(self, goes_on: Callable[[], bool]) -> None:
        """Look at every file again and again while it `goes_on`, at those that the watcher tells of in between."""
        pause = self._settings.scan_interval
        while goes_on():
            pause = self._settings.scan_interval if self._active else min(2 * pause, self._settings.scan_interval_idle)
            self._active = False
            await self._wait(max(pause, SHARE * self._took))
            await self.survey()

    async def _wait(self, pause: float) -> None:
        await trio.sleep(self._took)
        with trio.move_on_after(pause):
            while not self._in_doubt:
                if self._strange:
                    await self._look()
                else:
                    self._news = trio.Event()
                    await self._news.wait()

    async def _look(self) -> None:
        paths, self._strange = self._strange, set()
        found = await trio.to_thread.run_sync(look, self._roots, paths)
        if any(self._catalogue.has_file(file) for file in found):
            self._in_doubt = True  # a file known under another name: only a survey tells whether that is still there
            return
        for transcript in self._catalogue.note(found, all_paths={}):
            self._lanes.put(transcript, first=True)

    def _tell_blind(self, blind: Mapping[str, OSError]) -> None:
        for folder in blind.keys() - self._warned:
            error = blind[folder]
            if isinstance(error, FileNotFoundError):
                log.info("waiting for a folder to appear", folder=readable(folder))
            else:
                log.warning(
                    "a folder cannot be read, it is tried again", folder=readable(folder), reason=error.strerror
                )
        self._warned = set(blind)
