"""Kill Redis, and let it hang, at random moments while a daemon keeps its answers there; no answer may be wrong or old.

python -m tests.faults.rediskills --kills 50 --seed 1
"""

from __future__ import annotations

import random
import sys
from collections import defaultdict
from pathlib import Path

import trio

from ccod.testing.waiting import eventually
from ccod_sql.uuids import unpack
from tests.e2e.daemon import Daemon, free_port, open_daemon
from tests.faults.postgreskills import ENTRIES, TOLD
from tests.faults.rows import rows
from tests.faults.subscribers import STORED
from tests.faults.traffic import Report, Traffic, command
from tests.redisserver import RedisServer, reason_to_skip, running

TIMEOUT = 0.3
"""The longest wait for a server that hangs, in seconds."""
MANY_KILLS = 10
"""From so many on, the run ends when the daemon calls itself well: what a cache failed at is told of for a minute."""


class RedisReport(Report):
    """`kept` are the answers that came from Redis."""

    hung: int = 0
    kept: int = 0


class Trial:
    """One daemon whose answers are on `server`."""

    def __init__(self, server: RedisServer, daemon: Daemon, traffic: Traffic, report: RedisReport) -> None:
        self._server = server
        self._database = daemon.home.database
        self._traffic = traffic
        self._report = report

    async def undergo(self, dice: random.Random) -> None:
        """Let the server die or hang at some moment; sometimes wait until the daemon has told of it."""
        await trio.sleep(dice.uniform(0, 0.5))
        hangs = dice.random() < 0.5
        if hangs:
            self._server.hang()
        else:
            await trio.to_thread.run_sync(self._server.kill)
        if dice.random() < 0.5:
            await self._traffic.until_told("CACHE_AWAY")
        elif hangs:
            await trio.sleep(dice.uniform(0, 2 * TIMEOUT))
        if hangs and dice.random() < 0.5:
            self._server.wake()
            self._server.kill()
            self._server.start()
        elif hangs:
            self._server.wake()
        else:
            self._server.start()  # in this thread, with which it ends
        self._report.kills += 1
        self._report.hung += hangs
        await self._traffic.until_shown()
        await eventually(self._keeps, "answers from Redis", 60)

    async def compare(self) -> None:
        await eventually(self._all_told, "end of the reading", 120)
        await self._traffic.compare(self._entries, self._numbers)

    async def _keeps(self) -> bool:
        """Count the answers that it has given since it was asked last; the first ones come some seconds late."""
        import redis

        with redis.Redis.from_url(self._server.url) as client:
            given = int(client.info("stats")["keyspace_hits"])
            client.config_resetstat()
        self._report.kept += given
        return given > 0

    async def _all_told(self) -> bool:
        return bool(rows(self._database, TOLD)[0][0] >= self._traffic.lines)

    def _numbers(self) -> list[int]:
        return [seq for (seq,) in rows(self._database, STORED)]

    def _entries(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for path, uuid in rows(self._database, ENTRIES):
            found[path].append(unpack(uuid))
        return found


async def run(home: Path, kills: int, seed: int) -> RedisReport:
    """Run the whole experiment on folders below `home`."""
    dice, report, port = random.Random(seed), RedisReport(), free_port()
    with running() as server:
        tables = {
            "http": {"port": port, "host": "127.0.0.1", "limits": {"window": 0.0}},
            "redis": {"url": server.url, "timeout": TIMEOUT},
        }
        async with open_daemon(home, tables, start=False) as daemon:
            daemon.home.variables["CCOD_CACHE"] = "redis"
            await daemon.start()
            traffic = Traffic(daemon, port, dice, report)
            trial = Trial(server, daemon, traffic, report)
            async with traffic.listened_to():
                async with traffic.going_on():
                    for _ in range(kills):
                        await trial.undergo(dice)
                await trial.compare()
            if kills >= MANY_KILLS:
                await traffic.until_well()
            code = await daemon.terminate()
            report.wrong += [f"exit {code}"] * (code != 0)
            report.wrong += [each for each in daemon.stderr if "Traceback" in each or _is_amiss(each)]
    if report.refused:
        report.wrong.append(f"{report.refused} answers of 503 for the sake of a cache")
    return report


def _is_amiss(said: str) -> bool:
    """Tell whether the daemon tells of an error that is none of Redis's."""
    return '"level": "error"' in said and "CACHE_AWAY" not in said


if __name__ == "__main__":
    sys.exit(command("rediskills", __doc__, reason_to_skip(), run))
