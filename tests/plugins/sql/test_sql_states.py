"""States beside the archive: what is derived again, what is stored of events, what a step costs."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from ccod import ConversationQuery, Health
from ccod.testing.asking import Clock, maintain
from ccod.testing.transcripts import MINUTE
from ccod_sql.storage import SqlStorage
from tests.plugins.sql.feeding import feed, stream
from tests.plugins.sql.opening import opened
from tests.plugins.sql.test_sql_tables import select

PROMPT = {"type": "user", "message": {"content": "do it"}}
CALL = {"type": "assistant", "message": {"id": "m", "content": [{"type": "tool_use", "id": "t", "name": "Bash"}]}}
END = {"type": "system", "subtype": "turn_duration"}
STATES = "SELECT state, state_reason, state_since, state_due, turn, pending_count, ending FROM conversations"


async def write(storage: SqlStorage, *lines: object, key: str = "c1") -> None:
    await feed(storage, stream(key), b"".join(json.dumps(line).encode() + b"\n" for line in lines))


async def test_a_second_derivation_keeps_the_state(database: Path, clock: Clock) -> None:
    async with opened(database, clock) as storage:
        await write(storage, PROMPT, CALL)
        await write(storage, PROMPT, CALL, END, key="c2")
        await write(storage, PROMPT, key="c3")
        clock.now += 6 * MINUTE
        await maintain(storage)
        before = select(database, STATES)
        assert [row[0] for row in before] == ["pending_tool", "completed", "completed"]
        await storage.reparse()
        assert await maintain(storage) == []
        assert select(database, STATES) == before


async def test_a_derivation_leaves_it_to_the_clock_to_end_a_conversation(database: Path, clock: Clock) -> None:
    async with opened(database, clock) as storage:
        for number in range(25):  # the last of them are derived again before their turn to end comes
            await write(storage, PROMPT, END, key=f"c{number}")
        clock.now += 6 * MINUTE
        await storage.reparse()
        events = await maintain(storage)
        assert (await storage.conversations(ConversationQuery(state="completed"))).total == 25
    told = Counter((event.conversation_id, event.kind) for event in events)
    kinds = ("conversation_state_changed", "conversation_ended")
    assert told == {(f"c{number}", kind): 1 for number in range(25) for kind in kinds}


async def test_events_keep_what_they_say(database: Path, clock: Clock) -> None:
    async with opened(database, clock) as storage:
        await write(storage, PROMPT, END)
        clock.now += 5 * MINUTE
        await maintain(storage)
    details = select(database, "SELECT detail FROM events WHERE detail IS NOT NULL ORDER BY seq")
    assert [json.loads(detail) for (detail,) in details] == [
        {"before": "active", "after": "waiting", "reason": "turn ended"},
        {"before": "waiting", "after": "completed", "reason": "idle"},
        {"duration_ms": 0, "message_count": 1, "tool_call_count": 0, "ended_at": clock.now - 5 * MINUTE},
    ]


async def test_a_step_takes_a_few_and_finds_them_by_the_index(database: Path, clock: Clock) -> None:
    async with opened(database, clock) as storage:
        for number in range(30):
            await write(storage, PROMPT, key=f"c{number}")
        clock.now += 5 * MINUTE
        stored = await storage.maintain(Health())
        assert stored is not None
        assert len(stored.conversations) == 20
        assert (await storage.conversations(ConversationQuery(state="completed"))).total == 20
    plan = select(database, "EXPLAIN QUERY PLAN SELECT * FROM conversations WHERE state_due <= 9 ORDER BY state_due")
    assert [row[3] for row in plan] == ["SEARCH conversations USING INDEX ix_conversations_due (state_due<?)"]
