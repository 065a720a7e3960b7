"""What a storage makes of how a conversation goes: its state, and the events that tell of it."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ccod import ConversationQuery, Ending, Event, StateChange, Storage, Title
from ccod.testing.asking import Clock, Storages, conversation, maintain, send
from ccod.testing.transcripts import MINUTE, Transcript, results, uses

Line = dict[str, Any]

PROMPT: Line = {}
QUEUED: Line = {"queued": 1}
ANSWER: Line = {"kind": "assistant"}
LAST: Line = {"kind": "assistant", "ends": "turn"}
CALL: Line = {"kind": "assistant", "tool_uses": uses("t")}
CALLS: Line = {"kind": "assistant", "tool_uses": uses("t", "s")}
RESULT: Line = {"tool_results": results("t")}
ERROR: Line = {"kind": "assistant", "error": True}
RETRIES: Line = {"kind": "system", "ends": "retries"}
TURN: Line = {"kind": "system", "ends": "turn"}
INTERRUPT: Line = {"ends": "interrupt"}
META: Line = {"meta": True}
SIDE: Line = {"kind": "assistant", "sidechain": True, "ends": "turn"}
SNAPSHOT: Line = {"kind": "snapshot"}
TITLE: Line = {"kind": "title", "title": Title("name", 50)}

GROWING = "active", "growing"
ENDED = "waiting", "turn ended"
TOOL = "pending_tool", "tool unanswered"
FAILED = "error", "api error"
IDLE = "completed", "idle"

RULES: list[tuple[list[Line], int, tuple[str, str]]] = [
    ([PROMPT], 0, GROWING),
    ([PROMPT, ANSWER], 4, GROWING),
    ([PROMPT, ANSWER], 5, IDLE),
    ([PROMPT, LAST], 0, ENDED),
    ([PROMPT, ANSWER, TURN], 4, ENDED),
    ([PROMPT, LAST, TURN, SNAPSHOT, TITLE], 0, ENDED),
    ([PROMPT, LAST], 5, IDLE),
    ([PROMPT, LAST, PROMPT], 0, GROWING),
    ([PROMPT, LAST, META], 0, GROWING),
    ([PROMPT, SIDE], 0, GROWING),
    ([PROMPT, ANSWER, INTERRUPT], 0, ("waiting", "interrupted")),
    ([PROMPT, CALL], 0, TOOL),
    ([PROMPT, CALL], 59, TOOL),
    ([PROMPT, CALL], 60, IDLE),
    ([PROMPT, CALL, QUEUED, META], 0, TOOL),
    ([PROMPT, CALL, RESULT], 0, GROWING),
    ([PROMPT, CALLS, RESULT], 0, TOOL),
    ([PROMPT, RESULT, CALL], 0, GROWING),
    ([PROMPT, CALL, CALL, RESULT, RESULT], 0, GROWING),
    ([PROMPT, CALL, INTERRUPT], 0, ("waiting", "interrupted")),
    ([PROMPT, CALLS, PROMPT, ANSWER], 0, GROWING),
    ([PROMPT, CALLS, PROMPT, RESULT, ANSWER], 0, GROWING),
    ([PROMPT, CALLS, PROMPT, {"kind": "assistant", "tool_uses": uses("u")}, RESULT], 0, TOOL),
    ([PROMPT, ERROR], 0, FAILED),
    ([PROMPT, ERROR], 600, FAILED),
    ([PROMPT, ERROR, TURN], 0, FAILED),
    ([PROMPT, ERROR, ANSWER], 0, GROWING),
    ([PROMPT, ERROR, LAST], 0, ENDED),
    ([PROMPT, RETRIES], 0, ("error", "retries exhausted")),
    ([PROMPT, RETRIES, SNAPSHOT], 600, ("error", "retries exhausted")),
    ([PROMPT, RETRIES, LAST], 0, ENDED),
]
LINES = st.sampled_from([PROMPT, QUEUED, ANSWER, LAST, CALL, CALLS, RESULT, ERROR, RETRIES, TURN, INTERRUPT, META])


def written(lines: list[Line], key: str = "conversation-1") -> Transcript:
    transcript = Transcript(key)
    for number, line in enumerate(lines):
        facts: Line = {"at": number + 1} | line
        transcript.add(**facts)
    return transcript


async def state(storage: Storage, key: str = "conversation-1") -> tuple[str, str]:
    shown = await conversation(storage, key)
    return shown.state, shown.state_reason


def changes(events: Any) -> list[tuple[str, str]]:
    return [(event.detail.before, event.detail.after) for event in events if isinstance(event.detail, StateChange)]


class StateContract:
    """What every storage must know of states."""

    @pytest.mark.parametrize(("lines", "minutes", "expected"), RULES)
    async def test_state(
        self, storages: Storages, clock: Clock, lines: list[Line], minutes: int, expected: tuple[str, str]
    ) -> None:
        begun = clock.now
        async with storages() as storage:
            await send(storage, written(lines))
            transcript = written(lines, "piecemeal")
            for end in range(1, len(lines) + 1):
                await send(storage, transcript, until=end)
            clock.now += minutes * MINUTE
            await maintain(storage)
            assert await state(storage) == await state(storage, "piecemeal") == expected
            shown = await conversation(storage)
            page = await storage.conversations(ConversationQuery(state=shown.state, status=shown.status))
        assert {item.id for item in page.items} == {"conversation-1", "piecemeal"}
        assert shown.state_since == (clock.now if expected == IDLE else begun)

    async def test_history_has_the_state_of_its_own_time(self, storages: Storages, clock: Clock) -> None:
        async with storages() as storage:
            for key, minutes, expected in (("old", 6, IDLE), ("new", 4, ENDED)):
                transcript = written([PROMPT, LAST], key).add(at=clock.now - minutes * MINUTE, kind="snapshot")
                stored = await send(storage, transcript, history=True)
                assert stored.events == ()
                assert await state(storage, key) == expected
            await send(storage, Transcript("untimed").add("summary"), history=True)
            assert await state(storage, "untimed") == IDLE
            assert (await conversation(storage, "untimed")).state_since == clock.now
            assert await maintain(storage) == []
            assert (await conversation(storage, "old")).state_since == clock.now - MINUTE
            assert (await conversation(storage, "new")).state_since == clock.now - 4 * MINUTE

    async def test_what_a_rewritten_file_repeats_says_nothing_new(self, storages: Storages) -> None:
        lines = [PROMPT | {"uuid": "a"}, CALL | {"uuid": "b"}, RESULT | {"uuid": "c"}, LAST | {"uuid": "d"}]
        again = Transcript(key="again")
        for line in lines[:2]:
            again.add(**line)
        async with storages() as storage:
            await send(storage, written(lines))
            assert changes((await send(storage, again)).events) == []
            assert await state(storage) == ENDED
            await send(storage, again.add(**PROMPT, uuid="e"))
            assert await state(storage) == GROWING

    async def test_every_change_is_an_event(self, storages: Storages, clock: Clock) -> None:
        transcript = written([PROMPT, CALL, RESULT])
        async with storages() as storage:
            assert changes((await send(storage, transcript, until=1)).events) == []
            assert changes((await send(storage, transcript, until=2)).events) == [("active", "pending_tool")]
            clock.now += MINUTE
            assert changes((await send(storage, transcript)).events) == [("pending_tool", "active")]
            assert (await conversation(storage)).state_since == clock.now
            clock.now += 4 * MINUTE
            assert await maintain(storage) == []
            clock.now += 10 * MINUTE
            change, ending = await maintain(storage)
            assert (change.kind, change.detail) == (
                "conversation_state_changed",
                StateChange("active", "completed", "idle"),
            )
            assert (ending.kind, ending.detail) == ("conversation_ended", Ending(2, 3, 1, 3))
            assert (change.conversation_id, change.at, ending.seq - change.seq) == ("conversation-1", clock.now, 1)
            assert (await conversation(storage)).state_since == clock.now - 9 * MINUTE
            assert await maintain(storage) == []
            stored = await send(storage, Transcript(agent="a").add(at=9))
            assert changes(stored.events) == [("completed", "active")]

    async def test_a_failure_ends_a_conversation_once(self, storages: Storages, clock: Clock) -> None:
        async with storages() as storage:
            await send(storage, written([PROMPT, ERROR]))
            clock.now += 5 * MINUTE
            assert [event.kind for event in await maintain(storage)] == ["conversation_ended"]
            clock.now += 600 * MINUTE
            assert await maintain(storage) == []

    async def test_what_slept_catches_up(self, storages: Storages, clock: Clock) -> None:
        async with storages() as storage:
            for number in range(50):
                await send(storage, written([PROMPT, LAST], f"c{number}"))
        clock.now += 600 * MINUTE
        async with storages() as storage:
            events = await maintain(storage)
            page = await storage.conversations(ConversationQuery(status="completed"))
        assert page.total == 50
        assert changes(events) == [("waiting", "completed")] * 50
        assert {event.conversation_id for event in events} == {f"c{number}" for number in range(50)}

    async def test_any_split_tells_each_change_once(self, storages: Storages, clock: Clock) -> None:
        """Hypothesis runs in a thread, and every example in conversations of its own."""
        examples = 0

        async with storages() as storage:

            async def grown(key: str, lines: list[Line], pauses: list[int]) -> None:
                transcript, events = written(lines, key), list[Event]()
                for end, minutes in enumerate(pauses, 1):
                    events += (await send(storage, transcript, until=min(end, len(lines)))).events
                    clock.now += minutes * MINUTE
                    events += await maintain(storage)
                events += (await send(storage, transcript)).events
                told = changes(event for event in events if event.conversation_id == key)
                at = "active"
                for before, after in told:
                    assert before == at != after
                    at = after
                shown = await conversation(storage, key)
                assert at == shown.state
                whole = f"{key}-whole"
                await send(storage, written(lines, whole))
                if at != "completed":
                    assert await state(storage, whole) == (shown.state, shown.state_reason)

            @settings(max_examples=30, suppress_health_check=list(HealthCheck), database=None)
            @given(st.lists(LINES, min_size=1, max_size=10), st.lists(st.integers(0, 70), max_size=8))
            def check(lines: list[Line], pauses: list[int]) -> None:
                nonlocal examples
                examples += 1
                trio.from_thread.run(grown, f"example-{examples}", lines, pauses)

            await trio.to_thread.run_sync(check)
