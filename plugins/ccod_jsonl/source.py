"""A source: the transcripts below some folders, as they grow."""

from __future__ import annotations

import structlog
import trio

from ccod import Intake, Metrics, expanded
from ccod_jsonl import gauges
from ccod_jsonl.catalogue import Catalogue
from ccod_jsonl.checking import check
from ccod_jsonl.choosing import open_watcher
from ccod_jsonl.lanes import Lanes
from ccod_jsonl.layout import Layout
from ccod_jsonl.scanning import Scanner
from ccod_jsonl.sending import Sender
from ccod_jsonl.settings import TailSettings

LIVE_AT_ONCE = 4
"""So many transcripts that grow are under way: while one is stored the next are read and parsed."""

log = structlog.get_logger("ccod.jsonl")


class JsonlSource:
    """Follows every transcript that `layout` knows below the roots of `settings`; see `ccod.Source`."""

    def __init__(self, name: str, settings: TailSettings, layout: Layout, metrics: Metrics | None = None) -> None:
        self.name = name
        self._metrics = metrics or Metrics()
        self._settings = settings
        self._layout = layout

    @property
    def roots(self) -> list[str]:
        return list(dict.fromkeys(str(expanded(root).absolute()) for root in self._settings.roots))

    async def run(self, intake: Intake, *, task_status: trio.TaskStatus[None]) -> None:
        while True:
            await self._follow(self.roots, intake, task_status)
            log.info("other folders are followed from now on", source=self.name)
            task_status = trio.TASK_STATUS_IGNORED

    async def _follow(self, roots: list[str], intake: Intake, task_status: trio.TaskStatus[None]) -> None:
        """Follow the transcripts below `roots` for as long as those are the roots."""
        settings, layout = self._settings, self._layout
        catalogue = Catalogue(await intake.checkpoints(), roots, settings.history_after, layout)
        lanes = Lanes(settings.check_after)
        for transcript in catalogue.unchecked():
            lanes.checks.put(transcript, at_once=False)
        overflown = gauges.overflows(self._metrics, self.name)
        with open_watcher(settings.watcher, roots, layout.suffixes, overflown) as watcher:
            scanner = Scanner(settings, roots, catalogue, lanes, watcher)
            gauges.show(self._metrics, self.name, catalogue, scanner, watcher)
            sender = Sender(intake, catalogue, lanes, scanner.hint, settings.max_line)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(watcher.run, scanner.hint)
                await scanner.survey()
                catalogue.have_seen_all()
                task_status.started()
                intake.progress(0, catalogue.history_bytes)
                for lane in (*LIVE_AT_ONCE * [lanes.live], lanes.history):
                    nursery.start_soon(sender.serve, lane)
                nursery.start_soon(check, lanes)
                await scanner.serve(lambda: self.roots == roots, intake.tell)
                nursery.cancel_scope.cancel()
