"""Small programs that tests run as processes of their own: `python -m tests.plugins.sql.programs NAME DATABASE`."""

from __future__ import annotations

import random
import resource
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import trio

from ccod import MessageQuery, StorageUnavailableError
from ccod.testing.asking import send
from ccod.testing.transcripts import Transcript
from ccod_sql.settings import SqliteSettings
from ccod_sql.storage import SqlStorage
from tests.prices import PRICES


async def hold(storage: SqlStorage) -> None:
    """Keep the database open until killed."""
    print("open", flush=True)
    await trio.sleep_forever()


async def write(storage: SqlStorage) -> None:
    """Store five lines at a time until killed, and say how many bytes are stored."""
    transcript = Transcript()
    while True:
        for _ in range(5):
            transcript.add(at=1)
        await send(storage, transcript)
        print(transcript.size, flush=True)


async def fill(storage: SqlStorage) -> None:
    """Fill a small disk, say twice why nothing can be stored, and store all of it on a larger one."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    transcript = Transcript().add(at=1)
    await send(storage, transcript)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))
    for _ in range(400):
        transcript.add(body=random.randbytes(1000), at=2)
    for _ in range(2):
        try:
            await send(storage, transcript, since=1)
        except StorageUnavailableError as error:
            print(error)
        assert (await storage.messages("conversation-1", MessageQuery())).total == 1
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert len((await send(storage, transcript, since=1)).events) == 400
    assert (await storage.messages("conversation-1", MessageQuery())).total == 401


PROGRAMS: dict[str, Callable[[SqlStorage], Awaitable[None]]] = {"hold": hold, "write": write, "fill": fill}


def start(program: str, database: Path) -> subprocess.Popen[str]:
    """Start a program; its output is lines of text."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.plugins.sql.programs", program, str(database)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    )


async def main(program: str, database: str) -> None:
    async with SqlStorage(SqliteSettings(path=database), "machine", PRICES) as storage:
        await PROGRAMS[program](storage)


if __name__ == "__main__":
    trio.run(main, sys.argv[1], sys.argv[2])
