"""What a storage says again of what it has told."""

from __future__ import annotations

from typing import Any

import msgspec
import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ccod import Event, EventQuery, Storage
from ccod.testing.asking import Clock, Storages, maintain, send
from ccod.testing.transcripts import MINUTE, Transcript, response, results, uses


async def stored(storage: Storage, **query: Any) -> list[Event]:
    """Return all events that a query asks for, page by page."""
    asked = EventQuery(**query)
    found: list[Event] = []
    while page := await storage.events(asked):
        assert len(page) <= asked.limit
        found += page
        asked = msgspec.structs.replace(asked, after=page[-1].seq)
    return found


class EventContract:
    """What every storage must do about events that are asked for again."""

    async def test_without_events_there_are_none(self, storages: Storages) -> None:
        async with storages() as storage:
            assert await stored(storage) == []
            position = await storage.position()
            assert (position.seq, await storage.position(before=1)) == (0, position)
            assert await stored(storage, conversations=["nobody"], projects=["nowhere"]) == []

    async def test_events_are_found_as_they_were_told(self, storages: Storages, clock: Clock) -> None:
        told: list[Event] = []
        async with storages() as storage:
            for key in ("c1", "c2"):
                transcript = Transcript(key).add(uuid=f"{key}a", at=1, cwd=f"/{key}")
                transcript.add("assistant", at=2, response=response(), tool_uses=uses("t"))
                told += (await send(storage, transcript)).events
                told += (await send(storage, Transcript(key, "agent").add(at=3, tool_results=results("x")))).events
            clock.now += 61 * MINUTE
            told += await maintain(storage)
            before = await storage.position()
        async with storages() as storage:
            assert await stored(storage) == told
            assert await stored(storage, limit=1) == told
            assert await storage.position() == before
            assert before.seq == told[-1].seq
            assert [event.seq for event in told] == sorted({event.seq for event in told})

    async def test_history_leaves_no_events(self, storages: Storages) -> None:
        async with storages() as storage:
            await send(storage, Transcript().add(at=1, cwd="/w"), history=True)
            assert await stored(storage) == []
            assert (await storage.position()).seq == 0

    async def test_events_are_chosen_by_what_they_are_about(self, storages: Storages) -> None:
        async with storages() as storage:
            for number in range(6):
                transcript = Transcript(f"c{number}").add(at=1, cwd=f"/p{number % 3}")
                for _ in range(4):
                    await send(storage, transcript.add(at=2))
            told = await stored(storage)
            project = next(event.project_id for event in told if event.conversation_id == "c4")
            assert project is not None

            @settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
            @given(
                after=st.integers(0, len(told) + 1),
                until=st.none() | st.integers(0, len(told) + 1),
                kinds=st.lists(st.sampled_from(["message_added", "conversation_started"]), max_size=2),
                conversations=st.lists(st.sampled_from(["c0", "c1", "c4", "nobody"]), unique=True),
                projects=st.lists(st.sampled_from([project, "nowhere"]), unique=True),
                limit=st.integers(1, 9),
            )
            def ask(**query: Any) -> None:
                asked = EventQuery(**query)
                expected = [
                    event
                    for event in told
                    if asked.after < event.seq <= (asked.until if asked.until is not None else event.seq)
                    and (not asked.kinds or event.kind in asked.kinds)
                    and (not asked.conversations or event.conversation_id in asked.conversations)
                    and (not asked.projects or event.project_id in asked.projects)
                ]
                assert list(trio.from_thread.run(storage.events, asked)) == expected[: asked.limit]

            await trio.to_thread.run_sync(ask)

    async def test_large_messages_come_in_small_portions(self, storages: Storages) -> None:
        transcript = Transcript()
        for number in range(9):
            transcript.add(body=bytes([65 + number]) * 1_000_000, at=number)
        async with storages() as storage:
            told = (await send(storage, transcript)).events
            page = await storage.events(EventQuery())
            assert 1 < len(page) < len(told)
            assert await stored(storage) == told

    async def test_the_forgotten_is_told_under_its_id(self, storages: Storages) -> None:
        async with storages() as storage:
            for key in ("c1", "c2"):
                told = (await send(storage, Transcript(key).add(at=1, cwd="/w"))).events
            project = str(told[-1].project_id)
            await storage.forget_conversation("c1")
            (event,) = await stored(storage, conversations=["c1"])
            assert (event.kind, event.conversation_id, event.project_id) == ("conversation_forgotten", "c1", project)
            assert event in await stored(storage, projects=[project])
            await storage.forget_project(project)
            (event,) = await stored(storage, projects=[project])
            assert (event.kind, event.project_id) == ("project_forgotten", project)
            assert [event.kind for event in await stored(storage)] == [
                "project_discovered",
                "conversation_forgotten",
                "conversation_forgotten",
                "project_forgotten",
            ]
            assert (await storage.position()).seq == event.seq

    async def test_a_time_leads_to_a_place(self, storages: Storages, clock: Clock) -> None:
        times: list[int] = []
        async with storages() as storage:
            for key in ("c1", "c2", "c3"):
                clock.now += 1000
                times.append(clock.now)
                await send(storage, Transcript(key).add(at=1))
            await storage.forget_conversation("c2")
            for time in times:
                after = (await storage.position(before=time)).seq
                assert all(event.at < time for event in await stored(storage, until=after))
                assert all(event.at >= time for event in await stored(storage, after=after))
            assert await storage.position(before=clock.now + 1) == await storage.position()
