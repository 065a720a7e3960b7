"""What is derived again from the archive is what a fresh reading of the files gives."""

from __future__ import annotations

import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import trio
from msgspec.structs import replace

from ccod import Entry, Health, MessageQuery, Record, Storage, Stream, Unparsed
from ccod.testing.asking import Clock
from ccod_claude.parser import ClaudeParser
from ccod_jsonl.reading import Position
from tests.plugins.sql.feeding import PARSERS, cuts, dump, feed, stream, transcript
from tests.plugins.sql.opening import opened
from tests.plugins.sql.test_sql_packing import maintained, read
from tests.plugins.sql.test_sql_tables import select

DERIVED = ("conversations", "projects", "streams", "responses", "entries", "tool_calls", "quarantine", "record_types")
ALL_IDS = "SELECT id, stream_id, offset FROM entries ORDER BY id"
ALL_CALLS = "SELECT * FROM tool_calls ORDER BY conversation_id, agent, tool_use_id"


class BetterParser(ClaudeParser):
    """Understands one type more, and knows no titles."""

    version = "99"

    def parse(self, stream: Stream, record: Record) -> Iterable[Entry | Unparsed]:
        for item in super().parse(stream, record):
            if isinstance(item, Unparsed):
                yield Entry(item.offset, item.length, "mended", role="user", at=1)
            else:
                yield replace(item, title=None, known=True)


async def fill(storage: Storage, made: random.Random, clock: Clock | None = None) -> None:
    """Let two generations of a file, a copy of it and an agent grow side by side."""
    first, second = transcript(80, 1), transcript(30, 1) + transcript(40, 2)
    growing: list[list[Any]] = [
        [stream(), first, Position()],
        [stream(key="/p/c1.jsonl#2"), second, Position()],
        [stream(agent="a"), transcript(40, 3), Position()],
        [stream("c2"), transcript(40, 1, conversation="c2"), Position()],
    ]
    sizes = [cuts(len(each[1]), made) for each in growing]
    waiting = list(range(len(growing)))
    while waiting:
        number = made.choice(waiting)
        of, data, position = growing[number]
        size = next(sizes[number], None)
        if size is None:
            waiting.remove(number)
        else:
            growing[number][2] = await feed(storage, of, data[:size], position)
        if clock is not None:
            clock.now += 1000
    await feed(storage, stream("c3"), b"{" + b"z" * 5000 + b"}\n" + transcript(9, 4, conversation="c3"), most=900)


@pytest.mark.parametrize("seed", range(3))
async def test_a_second_derivation_changes_nothing(database: Path, clock: Clock, seed: int) -> None:
    async with opened(database, clock) as storage:
        await fill(storage, random.Random(seed))
        await maintained(storage)
        before, ids = (
            dump(database, *DERIVED),
            select(database, "SELECT id, stream_id, offset FROM entries ORDER BY id"),
        )
        events = select(database, "SELECT * FROM events ORDER BY seq")
        calls = select(database, ALL_CALLS)
        assert await storage.reparse() == 3
        assert select(database, "SELECT count(*) FROM streams WHERE parser = ''") == [(5,)]
        health = Health()
        while await storage.maintain(health) is not None:
            pass
        assert "reparse" not in health.tasks
        assert select(database, "SELECT count(*) FROM streams WHERE parser = ''") == [(0,)]
    assert dump(database, *DERIVED) == before
    assert select(database, ALL_IDS) == ids
    assert select(database, "SELECT * FROM events ORDER BY seq") == events
    assert select(database, ALL_CALLS) == calls
    assert select(database, "PRAGMA foreign_key_check") == []


async def test_a_better_parser_gives_what_it_gives_afresh(database: Path, tmp_path: Path, clock: Clock) -> None:
    fresh = tmp_path / "fresh.db"
    async with opened(database, clock) as storage:
        await fill(storage, random.Random(1))
        shown = {message.id for message in (await storage.messages("c1", MessageQuery(limit=200))).items}
    async with opened(database, clock, BetterParser()) as storage:
        await maintained(storage)
        now = {message.id for message in (await storage.messages("c1", MessageQuery(limit=200))).items}
    assert shown < now
    feeding_parser = PARSERS["claude"]
    try:
        PARSERS["claude"] = BetterParser()  # type: ignore[index]
        async with opened(fresh, clock, BetterParser()) as storage:
            await fill(storage, random.Random(1))
            await maintained(storage)
    finally:
        PARSERS["claude"] = feeding_parser  # type: ignore[index]
    assert dump(database, *DERIVED) == dump(fresh, *DERIVED)
    assert select(database, "PRAGMA foreign_key_check") == []


async def test_only_what_is_asked_for_is_derived_again(database: Path, clock: Clock) -> None:
    async with opened(database, clock) as storage:
        await fill(storage, random.Random(1))
        assert await storage.reparse("c2") == 1
        assert await storage.reparse("nobody") == 0
        assert select(database, "SELECT count(*) FROM streams WHERE parser = ''") == [(1,)]
        await maintained(storage)
        assert select(database, "SELECT count(*) FROM streams WHERE parser = ''") == [(0,)]
        assert await storage.reparse(since="98") == 0
        assert await storage.reparse(since="0.9") == 3


async def test_a_stream_without_parser_is_left_alone(database: Path, clock: Clock) -> None:
    async with opened(database, clock) as storage:
        await fill(storage, random.Random(1))
    other = BetterParser()
    other.format = "other"
    async with opened(database, clock, other) as storage:
        assert await storage.reparse() == 0
        await maintained(storage)
        assert await read(storage, "c2") == transcript(40, 1, conversation="c2")


async def test_lines_come_in_while_all_is_derived_again(database: Path, clock: Clock) -> None:
    data = transcript(100)
    async with opened(database, clock) as storage:
        await storage.reparse()
        position = Position()
        for size in cuts(len(data), random.Random(1)):
            position = await feed(storage, stream(), data[:size], position)
            await storage.reparse()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(storage.maintain, Health())
        await maintained(storage)
        grown = dump(database, "conversations", "responses", "tool_calls")
    fresh = database.with_name("fresh.db")
    async with opened(fresh, clock) as storage:
        await feed(storage, stream(), data)
    assert dump(fresh, "conversations", "responses", "tool_calls") == grown
