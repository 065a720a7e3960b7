"""Follow the transcripts of a house until killed: `python -m tests.faults.follower FOLDER` says when it is ready."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import structlog
import trio

from tests.faults.house import House


async def follow(folder: Path) -> None:
    async with House(folder).running():
        print("ready", flush=True)
        await trio.sleep_forever()


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    trio.run(follow, Path(sys.argv[1]))
