"""How far a backfill is: a bar on a terminal, lines of the log elsewhere."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr

import structlog.testing

from ccod.health import Health, Progress
from ccod.progress import LOG_SECONDS, BackfillProgress


@contextmanager
def terminal() -> Iterator[int]:
    """Let stderr be a terminal, and yield what reads from it."""
    ours, its = os.openpty()
    try:
        with os.fdopen(its, "w") as stream, redirect_stderr(stream):
            yield ours
    finally:
        os.close(ours)


def health(done: int) -> Health:
    found = Health()
    found.backfill["source"] = Progress(done, 100_000_000)
    return found


def test_elsewhere_the_log_tells_it_now_and_then() -> None:
    now = 0.0
    with structlog.testing.capture_logs() as logs, BackfillProgress(lambda: now) as show:
        for seconds, done in ((0, 0), (1, 10), (LOG_SECONDS, 20), (1, 30), (1, 100)):
            now += seconds
            show(health(done * 1_000_000))
    assert [(each["event"], each["megabytes"]) for each in logs] == [
        ("backfill begins", 0.0),
        ("backfill", 20.0),
        ("backfill is done", 100.0),
    ]


def test_a_terminal_shows_a_bar_and_no_lines() -> None:
    with structlog.testing.capture_logs() as logs, terminal() as seen:
        with BackfillProgress() as show:
            show(health(10_000_000))
        said = os.read(seen, 100_000).decode()
    assert "reading history" in said
    assert "10.0/100.0 MB" in said
    assert logs == []
