"""A source that runs beside a test."""

from __future__ import annotations

import json
import os
import resource
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import msgspec
import trio

from ccod import Metrics
from ccod.testing.intake import PATIENCE, MemoryIntake
from ccod_claude.settings import ClaudeSettings
from ccod_claude.source import ClaudeSource


def whole_records(content: bytes) -> bytes:
    """Return what of a file is records: complete lines, and a last one that lacks nothing but its end."""
    end = content.rfind(b"\n") + 1
    try:
        is_whole = isinstance(json.loads(content[end:]), dict)
    except ValueError:
        is_whole = False
    return content if is_whole else content[:end]


@asynccontextmanager
async def following(
    root: Path, intake: MemoryIntake, metrics: Metrics | None = None, **changed: Any
) -> AsyncIterator[ClaudeSettings]:
    """Run the source over one root; unless `changed` says otherwise by a scan each 20 ms, with no watcher.

    Yields its settings, of which some may be changed meanwhile.
    """
    given: dict[str, Any] = {
        "roots": [str(root)],
        "scan_interval": 0.02,
        "scan_interval_idle": 0.02,
        "watcher": "none",
    }
    settings = msgspec.convert(given | changed, ClaudeSettings)
    async with trio.open_nursery() as nursery:
        source = ClaudeSource(settings, metrics)

        async def run(*, task_status: trio.TaskStatus[None]) -> None:
            await source.run(intake, task_status=task_status)

        with trio.fail_after(PATIENCE):
            await nursery.start(run)
        yield settings
        nursery.cancel_scope.cancel()


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


@contextmanager
def no_more_descriptors() -> Iterator[None]:
    """Let this process open nothing for a while."""
    spare = os.open(os.devnull, os.O_RDONLY)
    os.close(spare)
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (spare, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
