"""What is forgotten is gone from the files, and does not come back."""

from __future__ import annotations

from pathlib import Path

import pytest

from ccod import Checkpoint, ConversationQuery, Health, ProjectQuery
from ccod.testing.asking import Clock
from ccod_sql import tables
from tests.plugins.sql.feeding import SOURCE, dump, feed, stream, transcript
from tests.plugins.sql.opening import opened
from tests.plugins.sql.test_sql_packing import IDLE, maintained, read
from tests.plugins.sql.test_sql_tables import select

CANARY = "zqxj-canary-7741"
SECRET = transcript(300, 1, canary=CANARY)


def traces(database: Path) -> list[str]:
    """Return the database's files in which the canary stands."""
    return [file.name for file in database.parent.glob(f"{database.name}*") if CANARY.encode() in file.read_bytes()]


@pytest.mark.parametrize("packed", [False, True])
async def test_nothing_is_left_of_a_conversation(database: Path, clock: Clock, packed: bool) -> None:
    async with opened(database, clock) as storage:
        await feed(storage, stream("c2"), transcript(50, 2, conversation="c2"))
        before = dump(database, "conversations", "entries", "responses", "tool_calls", "blocks")
        position = await feed(storage, stream(), SECRET[:2000])
        await feed(storage, stream(), SECRET, position)
        await feed(storage, stream(agent="a"), SECRET)
        if packed:
            clock.now += 2 * IDLE
            await maintained(storage)
        assert traces(database)
        stored = await storage.forget_conversation("c1")
        assert stored is not None
        (event,) = stored.events
        assert (event.kind, event.conversation_id) == ("conversation_forgotten", "c1")
        assert select(database, "SELECT kind, subject FROM events WHERE seq = (SELECT max(seq) FROM events)") == [
            ("conversation_forgotten", "c1")
        ]
        assert traces(database) == []
        assert await storage.streams("c1") == []
        assert await storage.forget_conversation("c1") is None
    assert traces(database) == []
    assert select(database, "PRAGMA foreign_key_check") == []
    if not packed:
        assert dump(database, *before) == before
    assert select(database, "SELECT kind, key FROM tombstones") == [("conversation", "c1")]


async def test_a_forgotten_conversation_stays_away(database: Path, clock: Clock) -> None:
    async with opened(database, clock) as storage:
        position = await feed(storage, stream(), SECRET[:9000])
        await storage.forget_conversation("c1")
        ((kept, checkpoint),) = await storage.checkpoints(SOURCE)
        assert (kept, checkpoint) == (stream(), Checkpoint(position.offset))
        await feed(storage, stream(), SECRET, position)
        await feed(storage, stream(agent="late"), SECRET)
        await storage.reparse()
        await maintained(storage)
        assert (await storage.conversations(ConversationQuery())).total == 0
        sizes = sorted(checkpoint.offset for _, checkpoint in await storage.checkpoints(SOURCE))
        assert sizes == [len(SECRET), len(SECRET)]
    async with opened(database, clock) as storage:
        assert len(await storage.checkpoints(SOURCE)) == 2
        assert traces(database) == []


async def test_a_project_goes_with_its_conversations(database: Path, clock: Clock) -> None:
    async with opened(database, clock) as storage:
        for key in ("c1", "c2"):
            await feed(storage, stream(key), transcript(100, 1, conversation=key, canary=CANARY))
        (project,) = (await storage.projects(ProjectQuery())).items
        stored = await storage.forget_project(project.id)
        assert stored is not None
        kinds = [event.kind for event in stored.events]
        assert kinds == ["conversation_forgotten", "conversation_forgotten", "project_forgotten"]
        assert await storage.forget_project(project.id) is None
        assert (await storage.projects(ProjectQuery())).total == 0
        # The backfill had not come to this one yet.
        await feed(storage, stream("c3"), transcript(100, 1, conversation="c3", canary=CANARY))
        assert (await storage.conversations(ConversationQuery())).total == 0
        assert traces(database) == []
        # This one began afterwards.
        later = transcript(9, 1, conversation="c4").replace(b"2026-01", b"2099-01")
        await feed(storage, stream("c4"), later)
        assert [each.id for each in (await storage.conversations(ConversationQuery())).items] == ["c4"]
    assert select(database, "PRAGMA foreign_key_check") == []


async def test_a_response_that_was_copied_counts_where_it_is_left(database: Path, clock: Clock) -> None:
    async with opened(database, clock) as storage:
        await feed(storage, stream("c1"), transcript(50, 1))
        await feed(storage, stream("c2"), transcript(50, 1))
        counted = select(database, "SELECT count(*) FROM responses WHERE counted")
        await storage.forget_conversation("c1")
    assert select(database, "SELECT count(*) FROM responses WHERE counted") == counted
    assert select(database, "SELECT count(*) FROM responses") == counted


async def test_every_table_is_reached(database: Path) -> None:
    """A new table must lead to its conversation or stream, or be none that tells of one."""
    others = {"machines", "projects", "conversations", "events", "meta", "tombstones", "forgotten_streams"}
    others |= {"search_keys", "kept", "reads"}
    for table in tables.metadata.sorted_tables:
        assert table.name in others or {"conversation_id", "stream_id"} & set(table.c.keys()), table.name


async def test_an_idle_storage_has_nothing_to_do(database: Path, clock: Clock) -> None:
    async with opened(database, clock) as storage:
        await maintained(storage)
        assert await storage.maintain(Health()) is None
        await feed(storage, stream(), transcript(10))
        assert await read(storage) == transcript(10)
