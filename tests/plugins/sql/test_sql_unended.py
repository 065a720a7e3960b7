"""A last line without an end: kept with its stream, given back with it, and understood once it is whole."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ccod import Batch, Checkpoint, Record, Storage
from ccod.testing.asking import Clock, messages
from tests.plugins.sql.feeding import PARSERS, SOURCE, stream, transcript
from tests.plugins.sql.opening import opened
from tests.plugins.sql.test_sql_packing import maintained, read

STREAM = stream()
LINES = transcript(2).splitlines(keepends=True)


async def send(storage: Storage, bodies: Sequence[bytes], offset: int = 0, rest: bytes | None = None) -> int:
    records = []
    for body in bodies:
        records.append(Record(offset, body))
        offset += len(body)
    parsed = [entry for record in records for entry in PARSERS["claude"].parse(STREAM, record)]
    await storage.append(SOURCE, Batch(STREAM, records, Checkpoint(offset), rest=rest), parsed)
    return offset


async def test_a_rest_is_given_back_until_records_follow(database: Path, clock: Clock) -> None:
    async with opened(database, clock) as storage:
        end = await send(storage, LINES[:1], rest=b'{"ty')
        assert await read(storage) == LINES[0] + b'{"ty'
        await send(storage, (), end)
        assert await read(storage) == LINES[0] + b'{"ty', "nothing was said of it"
        await send(storage, (), end, rest=b'{"type')
        assert await read(storage) == LINES[0] + b'{"type'
        await send(storage, (), end, rest=b"")
        assert await read(storage) == LINES[0]
        await send(storage, (), end, rest=b'{"ty')
        await send(storage, LINES[1:2], end)
        assert await read(storage) == LINES[0] + LINES[1]


async def test_a_record_without_newline_is_derived_again(database: Path, clock: Clock) -> None:
    async with opened(database, clock) as storage:
        end = await send(storage, [LINES[0], LINES[1][:-1]])
        before = await messages(storage, "c1")
        assert len(before) == 2
        for more in ((), (b"\n",)):
            end = await send(storage, more, end)
            await storage.reparse()
            await maintained(storage)
            assert await messages(storage, "c1") == before
            assert await read(storage) == b"".join(LINES[:2]).removesuffix(b"" if more else b"\n")
