"""Shows how far a backfill is: a bar on a terminal, log lines elsewhere, and always systemd's status line."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

import structlog
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from ccod.health import Health
from ccod.notify import notify

LOG_SECONDS = 5.0

log = structlog.get_logger("ccod.backfill")


class BackfillProgress:
    """Call it with the health often; it shows what is new. Leaving it ends the bar."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        console = Console(stderr=True)
        self._bar = Progress(
            TextColumn("reading history"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        )
        self._task = self._bar.add_task("backfill", total=None, visible=False)
        self._on_terminal = sys.stderr.isatty()
        self._said_at = 0.0
        self._working = False

    def __enter__(self) -> Self:
        if self._on_terminal:
            self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._on_terminal:
            self._bar.stop()

    def __call__(self, health: Health) -> None:
        progress = health.progress
        working = progress.done < progress.total
        if working != self._working:
            self._working = working
            self._said_at = self._clock()
            self._say("backfill begins" if working else "backfill is done", progress.done, progress.total)
        elif working and self._clock() - self._said_at >= LOG_SECONDS:
            self._said_at = self._clock()
            self._say("backfill", progress.done, progress.total)
        self._bar.update(self._task, completed=progress.done, total=progress.total, visible=working)

    def _say(self, event: str, done: int, total: int) -> None:
        notify(f"STATUS={event}: {done / 1e6:.0f} of {total / 1e6:.0f} MB")
        if not self._on_terminal:
            log.info(event, megabytes=round(done / 1e6, 1), of=round(total / 1e6, 1))
