"""Small blocks are merged behind the rows, and the bytes stay what they were."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from ccod import Health, MessageQuery, Storage
from ccod.testing.asking import Clock
from ccod_jsonl.reading import Position
from ccod_sql import archive
from ccod_sql.storage import SqlStorage
from tests.plugins.sql.feeding import cuts, feed, stream, transcript
from tests.plugins.sql.test_sql_tables import select
from tests.real import ABSENT, DATA

IDLE = 60_000
BLOCKS = "SELECT start, length FROM blocks ORDER BY stream_id, start"


async def maintained(storage: Storage) -> int:
    """Let the storage do all there is to do; return how many steps it took."""
    steps = 0
    while await storage.maintain(Health()) is not None:
        steps += 1
        assert steps < 10_000
    return steps


async def read(storage: Storage, conversation: str = "c1", number: int = 0) -> bytes:
    found = (await storage.streams(conversation))[number]
    data = b""
    while portion := await storage.bytes_of(found.id, len(data)):
        data += portion
    assert len(data) == found.size
    return data


@pytest.mark.parametrize("seed", range(3))
async def test_the_archive_is_what_was_read(
    database: Path, storages: Callable[[], SqlStorage], clock: Clock, seed: int
) -> None:
    """Live appends in small pieces, with merges and restarts in between."""
    made = random.Random(seed)
    data, position, sizes = transcript(200, seed), Position(), []
    sizes = [*cuts(len(data), made)]
    while sizes:
        async with storages() as storage:
            for _ in range(made.randrange(1, 30)):
                if sizes:
                    position = await feed(storage, stream(), data[: sizes.pop(0)], position)
                clock.now += made.choice([1, 1, 1, 2 * IDLE])
                if made.random() < 0.3:
                    await storage.maintain(Health())
            kept = await read(storage)
            assert kept == data[: len(kept)]
            clock.now += 2 * IDLE
            await maintained(storage)
            before = await storage.messages("c1", MessageQuery(limit=200))
            assert await read(storage) == kept
            assert len(select(database, BLOCKS)) == 1
            assert before == await storage.messages("c1", MessageQuery(limit=200))
    async with storages() as storage:
        assert await read(storage) == data


async def test_a_long_tail_is_merged_while_it_grows(database: Path, storages: Callable[[], SqlStorage]) -> None:
    data, position, step = transcript(4500), Position(), 30_000
    assert len(data) > 1.2 * archive.BLOCK_BYTES
    async with storages() as storage:
        for size in range(step, len(data) + step, step):
            position = await feed(storage, stream(), data[:size], position)
        before = len(select(database, BLOCKS))
        await maintained(storage)
        blocks = select(database, BLOCKS)
        assert 0.9 * archive.BLOCK_BYTES < blocks[0][1] <= archive.BLOCK_BYTES
        assert 1 < len(blocks) < before / 2
        assert await read(storage) == data


async def test_a_line_larger_than_a_block_stays_alone(
    database: Path, storages: Callable[[], SqlStorage], clock: Clock
) -> None:
    large = b'{"type":"user","uuid":"l","message":{"content":"' + b"x" * (3 << 20) + b'"}}\n'
    data = transcript(20) + large + transcript(20, 1)
    async with storages() as storage:
        position = Position()
        for size in (*range(1000, len(data), 500_000), len(data)):
            position = await feed(storage, stream(), data[:size], position)
        clock.now += 2 * IDLE
        await maintained(storage)
        assert await read(storage) == data
    blocks = select(database, BLOCKS)
    assert len(blocks) == 3
    assert max(length for _, length in blocks) >= len(large)


async def test_transcripts_that_were_read_at_once_take_no_step_each(
    storages: Callable[[], SqlStorage], clock: Clock
) -> None:
    """Thousands of them kept a daemon busy for minutes, one at a time, when all had been stored."""
    async with storages() as storage:
        await maintained(storage)
        for number in range(60):
            await feed(storage, stream(f"c{number}"), transcript(1, conversation=f"c{number}"))
        await maintained(storage)
        clock.now += 2 * IDLE
        assert await maintained(storage) < 10


async def test_pieces_of_a_long_line_are_merged_too(storages: Callable[[], SqlStorage], clock: Clock) -> None:
    data = transcript(10) + b"y" * 5000 + b"\n" + transcript(10, 1)
    async with storages() as storage:
        await feed(storage, stream(), data, most=700)
        clock.now += 2 * IDLE
        await maintained(storage)
        assert await read(storage) == data


@pytest.mark.skipif(not DATA.is_dir(), reason=ABSENT)
async def test_every_known_transcript_comes_back(storages: Callable[[], SqlStorage], clock: Clock) -> None:
    files = {file.relative_to(DATA).as_posix(): file.read_bytes() for file in sorted(DATA.rglob("*.jsonl"))}
    positions: dict[str, Position] = {}
    for part in (0.3, 0.7, 1):
        async with storages() as storage:
            for name, data in files.items():
                positions[name] = await feed(
                    storage, stream(name), data[: round(part * len(data))], positions.get(name, Position())
                )
            clock.now += 2 * IDLE
            await maintained(storage)
    async with storages() as storage:
        for name, data in files.items():
            if data.find(b"\n") >= 0:
                assert await read(storage, name) == data[: data.rfind(b"\n") + 1], name
