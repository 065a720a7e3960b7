"""How far a backfill is: a bar on a terminal, lines of the log elsewhere."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, suppress
from io import FileIO

import structlog.testing

from ccod.health import Health, Progress
from ccod.progress import LOG_SECONDS, BackfillProgress


@contextmanager
def terminal() -> Iterator[list[str]]:
    """Let stderr be a terminal; after it, the list yielded has all that was written there."""
    said: list[str] = []
    ours, its = os.openpty()
    with os.fdopen(ours, "rb", buffering=0) as reader:
        with os.fdopen(its, "w") as stream, redirect_stderr(stream):
            yield said
        said.append(b"".join(until_closed(reader)).decode())


def until_closed(reader: FileIO) -> Iterator[bytes]:
    """What a terminal holds: it hands on in portions what was written at once, and Linux ends them with EIO."""
    with suppress(OSError):
        while portion := reader.read(65_536):
            yield portion


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
    with structlog.testing.capture_logs() as logs, terminal() as said, BackfillProgress() as show:
        show(health(10_000_000))
    assert "reading history" in said[0]
    assert "10.0/100.0 MB" in said[0]
    assert logs == []
