"""The journal: it is no part of the size, and does not stay long."""

from __future__ import annotations

import os
from pathlib import Path

from ccod import Health
from ccod.testing.asking import Clock, send
from ccod.testing.transcripts import Transcript
from ccod_sql.sqlite import LONG_JOURNAL, journal_size
from ccod_sql.storage import SqlStorage
from tests.plugins.sql.opening import opened


async def fill(storage: SqlStorage, database: Path) -> None:
    """Write what does not compress until the journal is long."""
    transcript = Transcript()
    while journal_size(database) <= LONG_JOURNAL:
        await send(storage, transcript.add(body=os.urandom(500_000)))


async def rest(storage: SqlStorage) -> None:
    while await storage.maintain(Health()) is not None:
        pass


async def test_a_long_journal_is_emptied_once_there_is_nothing_to_do(database: Path, clock: Clock) -> None:
    async with opened(database, clock) as storage:
        await fill(storage, database)
        before = await storage.facts()
        assert before.journal == journal_size(database)
        await rest(storage)
        after = await storage.facts()
        assert after.journal == 0
        assert LONG_JOURNAL < after.size < before.size + before.journal


async def test_who_reads_is_not_waited_for(database: Path, clock: Clock) -> None:
    async with opened(database, clock) as storage:
        await fill(storage, database)
        with storage._database.readers.begin() as reader:
            reader.exec_driver_sql("SELECT count(*) FROM entries").scalar()
            await fill(storage, database)
            await rest(storage)
            assert journal_size(database) > LONG_JOURNAL
        await rest(storage)
        assert journal_size(database) == 0


async def test_a_short_journal_stays(database: Path, clock: Clock) -> None:
    async with opened(database, clock) as storage:
        await send(storage, Transcript().add())
        await rest(storage)
        assert 0 < journal_size(database) < LONG_JOURNAL
