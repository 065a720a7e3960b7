"""Kill PostgreSQL at random moments while a daemon stores into it and tells of it, and count what came of all lines.

python -m tests.faults.postgreskills --kills 50 --seed 1
"""

from __future__ import annotations

import os
import random
import signal
import sys
from collections import defaultdict
from pathlib import Path

import trio
import zstandard

from ccod.testing.waiting import eventually
from tests.e2e.daemon import Daemon, free_port, open_daemon
from tests.e2e.home import Tables
from tests.faults.subscribers import STORED
from tests.faults.traffic import Report, Traffic, command
from tests.postgres import Server, reason_to_skip, running

WAYS = ("server killed", "server stopped at once", "connection killed")
"""As `kill -9`, as `pg_ctl stop -m immediate`, and one of its processes, after which it mends itself."""
DURABLE = {"fsync": "on", "full_page_writes": "on"}
CONNECTIONS = "SELECT pid FROM pg_stat_activity WHERE application_name = 'ccod'"
TOLD = "SELECT count(*) FROM events WHERE kind = 'message_added'"
ENTRIES = "SELECT s.path, e.uuid FROM entries e JOIN streams s ON s.id = e.stream_id ORDER BY e.id"
BLOCKS = "SELECT s.path, b.codec, b.data FROM blocks b JOIN streams s ON s.id = b.stream_id ORDER BY s.path, b.start"


class Trial:
    """One daemon whose database is on `server`."""

    def __init__(self, server: Server, database: str, daemon: Daemon, traffic: Traffic, report: Report) -> None:
        self._server = server
        self._database = database
        self._daemon = daemon
        self._traffic = traffic
        self._report = report

    async def undergo(self, dice: random.Random) -> None:
        """Let the server die at some moment; sometimes wait until the daemon has told of it."""
        await trio.sleep(dice.uniform(0, 0.5))
        self._server.wait()  # it may still be mending itself
        way = dice.choice(WAYS)
        if way == "connection killed":
            self._kill_one(dice)
        else:
            await trio.to_thread.run_sync(self._server.kill if way == "server killed" else self._server.stop)
            if dice.random() < 0.5:
                await self._traffic.until_told("STORAGE_AWAY")
            self._server.start()  # in this thread, with which it ends
        self._report.kills += 1
        await self._traffic.until_shown()
        await self._traffic.until_well()

    async def compare(self) -> None:
        await eventually(self._all_told, "end of the reading", 120)
        await self._traffic.compare(self._entries, self._numbers)
        archived: dict[str, bytes] = defaultdict(bytes)
        for path, codec, data in self._server.run(BLOCKS, self._database):
            archived[path] += zstandard.decompress(data) if codec == "zstd" else data
        for transcript in self._traffic.transcripts:
            if archived[str(transcript.path)] != transcript.path.read_bytes():
                self._report.wrong.append(f"the archive of {transcript.path.name} is not the file")

    def _kill_one(self, dice: random.Random) -> None:
        if pids := [pid for (pid,) in self._server.run(CONNECTIONS)]:
            os.kill(dice.choice(pids), signal.SIGKILL)

    async def _all_told(self) -> bool:
        return bool(self._server.run(TOLD, self._database)[0][0] >= self._traffic.lines)

    def _numbers(self) -> list[int]:
        return [seq for (seq,) in self._server.run(STORED, self._database)]

    def _entries(self) -> dict[str, list[str]]:
        from ccod_sql.uuids import unpack

        found: dict[str, list[str]] = defaultdict(list)
        for path, uuid in self._server.run(ENTRIES, self._database):
            found[path].append(unpack(uuid))
        return found


async def run(home: Path, kills: int, seed: int) -> Report:
    """Run the whole experiment on folders below `home`."""
    dice, report, port = random.Random(seed), Report(), free_port()
    with running(**DURABLE) as server:
        database = server.fresh()
        tables: Tables = {
            "http": {"port": port, "host": "127.0.0.1", "limits": {"window": 0.0}},
            "postgres": {"url": server.url(database)},
        }
        async with open_daemon(home, tables, start=False) as daemon:
            daemon.home.variables["CCOD_STORAGE"] = "postgres"
            await daemon.start()
            traffic = Traffic(daemon, port, dice, report)
            trial = Trial(server, database, daemon, traffic, report)
            async with traffic.listened_to():
                async with traffic.going_on():
                    for _ in range(kills):
                        await trial.undergo(dice)
                await trial.compare()
            code = await daemon.terminate()
            report.wrong += [f"exit {code}"] * (code != 0)
            report.wrong += [each for each in daemon.stderr if "Traceback" in each or '"level": "error"' in each]
    return report


if __name__ == "__main__":
    sys.exit(command("postgreskills", __doc__, reason_to_skip(), run))
