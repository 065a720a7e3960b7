"""A server that goes away and comes back: nothing is lost, nothing comes twice, and whoever waits is told why."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio
from sqlalchemy import Connection, event

from ccod import EventQuery, Health, StorageUnavailableError, Stored
from ccod.testing.asking import Clock, messages, send
from ccod.testing.transcripts import Transcript
from ccod_sql.storage import TableStorage
from tests.plugins.postgres.conftest import opened
from tests.postgres import Server, reason_to_skip, running


@pytest.fixture(scope="module")
def mortal() -> Iterator[Server]:
    """A server that keeps what it has told of, as others do."""
    if reason := reason_to_skip():
        pytest.skip(reason)
    with running(fsync="on", full_page_writes="on") as server:
        yield server


@pytest.fixture
def url(mortal: Server) -> str:
    return mortal.url(mortal.fresh())


async def stored(storage: TableStorage, transcript: Transcript) -> Stored:
    """Send again as the pipeline does, until it is stored."""
    sent = transcript.sent
    with trio.fail_after(60):
        while True:
            transcript.sent = sent
            try:
                return await send(storage, transcript)
            except StorageUnavailableError:
                await trio.sleep(0.05)


async def test_a_server_that_is_away_is_named_and_come_back_to(
    mortal: Server, url: str, clock: Clock, tmp_path: Path
) -> None:
    async with opened(url, tmp_path, clock, {}) as storage:
        await send(storage, Transcript().add(uuid="a", at=1))
        mortal.stop(signal.SIGINT)
        try:
            for _ in range(2):
                with pytest.raises(StorageUnavailableError, match="start PostgreSQL") as refused:
                    await send(storage, Transcript().add(uuid="a", at=1).add(uuid="b", at=2))
                assert refused.value.code == "STORAGE_AWAY"
                with pytest.raises(StorageUnavailableError, match="start PostgreSQL"):
                    await messages(storage)
                for upkeep in (storage.maintain(Health()), storage._write(storage._index, Health())):
                    with pytest.raises(StorageUnavailableError):
                        await upkeep
        finally:
            mortal.start()
        assert len(await messages(storage)) == 1
        await send(storage, Transcript().add(uuid="a", at=1).add(uuid="b", at=2))
        assert [message.id for message in await messages(storage)] == ["a", "b"]


async def test_a_server_that_is_killed_loses_and_doubles_nothing(
    mortal: Server, url: str, clock: Clock, tmp_path: Path
) -> None:
    transcript = Transcript()
    told: list[int] = []

    async def write(storage: TableStorage) -> None:
        for number in range(60):
            transcript.add(uuid=str(number), at=number)
            told.extend(each.seq for each in (await stored(storage, transcript)).events)

    async with opened(url, tmp_path, clock, {}) as storage:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(write, storage)
            for _ in range(3):
                await trio.sleep(0.3)
                mortal.stop()  # while a thread writes
                mortal.start()
        assert [message.id for message in await messages(storage)] == [str(number) for number in range(60)]
        assert told == [each.seq for each in await storage.events(EventQuery(limit=1000))]


async def test_what_was_stored_without_an_answer_is_told_later(
    mortal: Server, url: str, clock: Clock, tmp_path: Path
) -> None:
    def commit_and_lose(connection: Connection) -> None:
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.commit()
        driver.close()

    async with opened(url, tmp_path, clock, {}) as storage:
        transcript = Transcript().add(uuid="a", at=1)
        event.listen(storage._database.writer, "commit", commit_and_lose)
        with pytest.raises(StorageUnavailableError) as lost:
            await send(storage, transcript)
        assert lost.value.code == "STORAGE_AWAY"
        event.remove(storage._database.writer, "commit", commit_and_lose)
        transcript.sent = 0
        told = (await send(storage, transcript)).events
        assert [each.kind for each in told] == ["conversation_started", "message_added"]
        assert told == await storage.events(EventQuery())
        assert not (await send(storage, Transcript().add(uuid="a", at=1))).events


async def test_a_connection_that_is_cut_is_made_again(mortal: Server, url: str, clock: Clock, tmp_path: Path) -> None:
    async with opened(url, tmp_path, clock, {}) as storage:
        transcript = Transcript()
        for number in range(3):
            await stored(storage, transcript.add(uuid=str(number), at=number))
            mortal.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'ccod'")
        await stored(storage, transcript.add(uuid="last", at=9))
        assert len(await messages(storage)) == 4


async def test_a_statement_that_takes_too_long_is_ended(mortal: Server, url: str, clock: Clock, tmp_path: Path) -> None:
    async with opened(url, tmp_path, clock, {}) as storage:
        with pytest.raises(StorageUnavailableError, match="statement_timeout") as slow:
            await storage._read(
                lambda connection: connection.exec_driver_sql("SET LOCAL statement_timeout = 50; SELECT pg_sleep(20)")
            )
        assert slow.value.code == "STORAGE_SLOW"
