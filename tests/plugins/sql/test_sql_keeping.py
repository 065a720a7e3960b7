"""Whenever maintenance is killed, all is there or all is gone."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ccod import Health
from ccod.testing.asking import Clock
from tests.plugins.sql.feeding import dump
from tests.plugins.sql.keeping import DATA, LATER, fill
from tests.plugins.sql.opening import opened
from tests.plugins.sql.test_sql_packing import maintained, read
from tests.plugins.sql.test_sql_reparse import DERIVED
from tests.plugins.sql.test_sql_tables import select

KILLS = 3


def kill_midway(work: str, database: Path, seconds: float) -> None:
    command = [sys.executable, "-m", "tests.plugins.sql.keeping", work, str(database)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[3]) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"begin\n"
        time.sleep(seconds)
        process.kill()


@pytest.mark.parametrize("work", ["merge", "reparse", "forget"])
async def test_a_kill_leaves_all_or_nothing(database: Path, clock: Clock, work: str) -> None:
    async with opened(database, clock) as storage:
        await fill(storage)
        clock.now += LATER
        await storage.maintain(Health())  # the conversation is over, before anybody is killed
    before = dump(database, *(table for table in DERIVED if table != "streams"))
    made = random.Random(work)
    for _ in range(KILLS):
        kill_midway(work, database, made.random() * 0.2)
    async with opened(database, clock) as storage:
        await maintained(storage)
        assert select(database, "PRAGMA integrity_check") == [("ok",)]
        assert select(database, "PRAGMA foreign_key_check") == []
        if await storage.streams("c1"):
            assert await read(storage) == DATA
            assert dump(database, *before) == before
            assert await storage.forget_conversation("c1")
        else:
            assert work == "forget"
        assert select(database, "SELECT key FROM tombstones") == [("c1",)]
        assert select(database, "SELECT (SELECT count(*) FROM entries) + (SELECT count(*) FROM blocks)") == [(0,)]
