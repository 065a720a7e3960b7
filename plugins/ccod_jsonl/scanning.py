"""Looks for changes: at every file now and then, and at once where a watcher tells of one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import structlog
import trio

from ccod import Reason
from ccod_jsonl.catalogue import MISSES, Catalogue
from ccod_jsonl.files import is_open, look, survey
from ccod_jsonl.lanes import Lanes
from ccod_jsonl.layout import readable
from ccod_jsonl.settings import TailSettings
from ccod_jsonl.watching import Watcher

SHARE, CALM_SHARE = 100, 300
"""A pause is at least so many times as long as the scan before it: scanning takes at most 1 % of the time, and a third
of that while nothing happens and a watcher would tell."""

MOST_TOLD = 20
"""Of folders that cannot be read, so many are named."""

log = structlog.get_logger("ccod.jsonl")


class Scanner:
    """Puts transcripts that must be read into their lanes."""

    def __init__(
        self,
        settings: TailSettings,
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
        self._blind: Mapping[str, OSError] = {}
        self._unwatched = 0
        self._known = {root for root in roots if catalogue.has_some_below(root)}

    @property
    def roots(self) -> int:
        """How many folders are to be watched."""
        return len(self._roots)

    @property
    def blind(self) -> int:
        """How many folders could not be looked into."""
        return len(self._blind)

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
        catalogue, enter = self._catalogue, self._watcher.enter
        seen = await trio.to_thread.run_sync(survey, catalogue.layout, self._roots, enter, catalogue.found_at)
        self._note_blind(seen.blind)
        self._known.update(set(self._roots) - seen.blind.keys())
        self._unwatched = seen.unwatched
        changed = catalogue.note(seen.found, all_paths={found.path: found for found in seen.found})
        missed = catalogue.miss(seen)
        for transcript in changed:
            self._lanes.put(transcript)
        for transcript in missed:
            if transcript.misses >= MISSES:
                self._lanes.put(transcript)
            else:
                self._in_doubt = True
        self._active |= bool(changed or missed)
        self._took = trio.current_time() - began

    async def serve(self, goes_on: Callable[[], bool], tell: Callable[[Sequence[Reason]], None]) -> None:
        """Look at every file again and again while it `goes_on`, at those that the watcher tells of in between.

        `tell` is told why changes may be found late, or not at all.
        """
        settings = self._settings
        pause = settings.scan_interval
        while goes_on():
            tell(self.reasons())
            is_calm = not (self._active or self._unwatched or self._watcher.trouble)
            pause = min(2 * pause, settings.scan_interval_idle) if is_calm else settings.scan_interval
            self._active = False
            share = CALM_SHARE if is_calm and self._watcher.kind != "none" else SHARE
            await self._wait(max(pause, share * self._took))
            await self.survey()

    def reasons(self) -> list[Reason]:
        """Return why changes may be found late, or not at all."""
        lost = [folder for folder in self._blind if self._is_lost(folder)]
        found = [_lost(folder, self._blind[folder]) for folder in lost[:MOST_TOLD]]
        if self._watcher.trouble:
            found.append(self._watcher.trouble)
        elif self._unwatched:
            text = f"{self._unwatched} folders are not watched, changes in them are found by scanning, and later"
            found.append(Reason("WATCH_LIMIT", text, "raise fs.inotify.max_user_watches"))
        return found

    def _is_lost(self, folder: str) -> bool:
        """A folder that was never there is waited for: whoever has not used the agent yet misses nothing."""
        return folder in self._known or not isinstance(self._blind[folder], FileNotFoundError)

    async def _wait(self, pause: float) -> None:
        """Wait for the time of the next survey, or for what asks for one at once."""
        await trio.sleep(self._took)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._look_for_blind)
            with trio.move_on_after(pause):
                while not self._in_doubt:
                    if self._strange:
                        await self._look()
                    else:
                        self._news = trio.Event()
                        await self._news.wait()
            nursery.cancel_scope.cancel()

    async def _look_for_blind(self) -> None:
        """No watcher tells that a folder can be looked into again: a look at it alone costs little."""
        while self._blind and not self._in_doubt:
            await trio.sleep(self._settings.scan_interval)
            for folder in self._blind:
                if await trio.to_thread.run_sync(is_open, folder):
                    self.hint(None)

    async def _look(self) -> None:
        paths, self._strange = self._strange, set()
        found = await trio.to_thread.run_sync(look, self._catalogue.layout, self._roots, paths)
        if any(self._catalogue.has_file(file) for file in found):
            self._in_doubt = True  # a file known under another name: only a survey tells whether that is still there
            return
        for transcript in self._catalogue.note(found, all_paths={}):
            self._lanes.put(transcript, first=True)

    def _note_blind(self, blind: Mapping[str, OSError]) -> None:
        for folder in blind.keys() - self._blind.keys():
            log.info("waiting for a folder", folder=readable(folder), reason=blind[folder].strerror)
        self._blind = blind


def _lost(folder: str, error: OSError) -> Reason:
    name = readable(folder)
    if isinstance(error, FileNotFoundError):
        fix = "put it back, or take it out of the `roots` of its source"
        return Reason("ROOT_MISSING", f"{name}: is not there any more", fix)
    return Reason("FOLDER_UNREADABLE", f"{name}: {error.strerror}", "let the user of ccod read and enter it")
