"""agentsview, a peer that installs from the Python index: run beside ccod on the same files, off the network."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path

import trio
from msgspec import Struct

VERSION = "0.46.1"
PROJECT = Path(__file__).parents[2]
PINS = PROJECT / "requirements" / "peers.txt"
PROGRAM = PROJECT / "build" / "peers" / "bin" / "agentsview"
INSTALL_SECONDS = 300
START_SECONDS = 60
STOP_SECONDS = 15
ALONE = ["unshare", "--map-root-user", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
"""Runs a command where nothing but its own loopback is."""


class Missing(Exception):  # noqa: N818 - it is no error but a reason to skip
    """Says why there is no peer to compare with."""


class Shown(Struct, frozen=True):
    """A message as agentsview has it stored; `id` is that of the transcript's line."""

    session: str
    id: str
    text: str


def installed() -> Path:
    """Return its program, which is installed below build/, pinned by hash, if it is not there yet. Raises Missing."""
    if sys.platform != "linux" or subprocess.run([*ALONE, "true"], check=False, capture_output=True).returncode:
        raise Missing(
            "unshare (util-linux), ip (iproute2) and user namespaces keep it off the network; here they cannot"
        )
    if not PROGRAM.exists():
        subprocess.run([sys.executable, "-m", "venv", PROGRAM.parents[1]], check=True, timeout=INSTALL_SECONDS)
        pip = [str(PROGRAM.with_name("python")), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        done = subprocess.run(
            [*pip, "--require-hashes", "-r", str(PINS)],
            check=False,
            capture_output=True,
            text=True,
            timeout=INSTALL_SECONDS,
        )
        if done.returncode:
            raise Missing(f"agentsview {VERSION} could not be installed: {done.stderr.strip().splitlines()[-1]}")
    return PROGRAM


class Peer:
    """A running agentsview with a home of its own."""

    def __init__(self, home: Path, process: trio.Process) -> None:
        self.database = home / "data" / "sessions.db"
        self.process = process

    @property
    def pid(self) -> int:
        return self.process.pid

    def messages(self) -> list[Shown]:
        """Return what it shows: the messages of all sessions, in their order."""
        if not self.database.exists():
            return []
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=10)) as connection:
            rows = connection.execute(
                "SELECT session_id, source_uuid, content FROM messages m JOIN sessions s ON s.id = m.session_id "
                "WHERE s.deleted_at IS NULL ORDER BY session_id, ordinal"
            )
            return [Shown(*row) for row in rows]


@asynccontextmanager
async def serving(program: Path, home: Path, roots: Sequence[str]) -> AsyncIterator[Peer]:
    """Run `agentsview serve` on these folders until the end of the block; it tells of changes without a pause."""
    data = home / "data"
    data.mkdir(parents=True, exist_ok=True)
    if not (data / "config.toml").exists():
        (data / "config.toml").write_text(f"claude_project_dirs = {json.dumps(list(roots))}\n")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "AGENTSVIEW_DATA_DIR": str(data),
        "AGENTSVIEW_TELEMETRY_ENABLED": "0",
    }
    options = ["--no-browser", "--no-update-check", "--port=0", "--events-coalesce-interval=0"]
    log = home / "log"
    with log.open("wb") as output:
        command = [*ALONE, str(program), "serve", *options]
        process = await trio.lowlevel.open_process(command, env=environment, stdout=output, stderr=output)
        try:
            with trio.fail_after(START_SECONDS):
                while b"listening at" not in log.read_bytes():
                    if process.poll() is not None:
                        raise RuntimeError(f"agentsview has ended: {log.read_text()[-500:]}")
                    await trio.sleep(0.05)
            yield Peer(home, process)
        finally:
            await _stop(process)


async def _stop(process: trio.Process) -> None:
    with trio.CancelScope(shield=True), trio.move_on_after(STOP_SECONDS):
        process.send_signal(signal.SIGTERM)
        await process.wait()
    if process.poll() is None:
        process.kill()
        with trio.CancelScope(shield=True):
            await process.wait()
