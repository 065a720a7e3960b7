"""The source: transcripts of Claude Code, as they grow."""

from __future__ import annotations

import structlog
import trio

from ccod import Intake, Metrics, expanded
from ccod_claude import gauges
from ccod_claude.catalogue import Catalogue
from ccod_claude.checking import check
from ccod_claude.lanes import Lanes
from ccod_claude.scanning import Scanner
from ccod_claude.sending import Sender
from ccod_claude.settings import ClaudeSettings
from ccod_claude.watching import open_watcher

log = structlog.get_logger("ccod.claude")


class ClaudeSource:
    """Follows every transcript below some `projects` folders; see `ccod.Source`."""

    name = "claude"

    def __init__(self, settings: ClaudeSettings, metrics: Metrics | None = None) -> None:
        self._settings = settings
        self._metrics = metrics or Metrics()

    @property
    def roots(self) -> list[str]:
        return list(dict.fromkeys(str(expanded(root).absolute()) for root in self._settings.roots))

    async def run(self, intake: Intake, *, task_status: trio.TaskStatus[None]) -> None:
        while True:
            await self._follow(self.roots, intake, task_status)
            log.info("other folders are followed from now on")
            task_status = trio.TASK_STATUS_IGNORED

    async def _follow(self, roots: list[str], intake: Intake, task_status: trio.TaskStatus[None]) -> None:
        """Follow the transcripts below `roots` for as long as those are the roots."""
        settings = self._settings
        catalogue = Catalogue(await intake.checkpoints(), roots, settings.history_after)
        lanes = Lanes(settings.check_after)
        for transcript in catalogue.unchecked():
            lanes.checks.put(transcript, at_once=False)
        with open_watcher(settings.watcher, roots) as watcher:
            scanner = Scanner(settings, roots, catalogue, lanes, watcher)
            gauges.show(self._metrics, len(roots), catalogue, scanner, watcher)
            sender = Sender(intake, catalogue, lanes, scanner.hint, settings.max_line)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(watcher.run, scanner.hint)
                await scanner.survey()
                task_status.started()
                intake.progress(0, catalogue.history_bytes)
                nursery.start_soon(sender.serve, lanes.live)
                nursery.start_soon(sender.serve, lanes.history)
                nursery.start_soon(check, lanes)
                await scanner.serve(lambda: self.roots == roots)
                nursery.cancel_scope.cancel()
