"""The source: transcripts of Claude Code, as they grow."""

from __future__ import annotations

import trio

from ccod import Intake, expanded
from ccod_claude.catalogue import Catalogue
from ccod_claude.checking import check
from ccod_claude.lanes import Lanes
from ccod_claude.scanning import Scanner
from ccod_claude.sending import Sender
from ccod_claude.settings import ClaudeSettings
from ccod_claude.watching import open_watcher


class ClaudeSource:
    """Follows every transcript below some `projects` folders; see `ccod.Source`."""

    name = "claude"

    def __init__(self, settings: ClaudeSettings) -> None:
        self._settings = settings
        self.roots = list(dict.fromkeys(str(expanded(root).absolute()) for root in settings.roots))

    async def run(self, intake: Intake, *, task_status: trio.TaskStatus[None]) -> None:
        settings = self._settings
        catalogue = Catalogue(await intake.checkpoints(), self.roots, settings.history_after)
        lanes = Lanes(settings.check_after)
        for transcript in catalogue.unchecked():
            lanes.checks.put(transcript, at_once=False)
        with open_watcher(settings.watcher, self.roots) as watcher:
            scanner = Scanner(settings, self.roots, catalogue, lanes, watcher)
            sender = Sender(intake, catalogue, lanes, scanner.hint, settings.max_line)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(watcher.run, scanner.hint)
                await scanner.survey()
                task_status.started()
                intake.progress(0, catalogue.history_bytes)
                nursery.start_soon(sender.serve, lanes.live)
                nursery.start_soon(sender.serve, lanes.history)
                nursery.start_soon(check, lanes)
                await scanner.serve()
