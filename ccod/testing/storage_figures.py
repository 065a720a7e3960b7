"""What a storage tells of all conversations together, and in pages that go on behind a key."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from ccod import (
    QUARTER_MS,
    ConversationQuery,
    EntryQuery,
    FigureQuery,
    Figures,
    Key,
    MessageQuery,
    ModelUsage,
    Overview,
    Page,
    ProjectDraft,
    ProjectEdit,
    ProjectQuery,
    QuarantineQuery,
    SessionQuery,
    SpanUsage,
    Storage,
    Title,
    ToolCallQuery,
    ToolFigures,
    ToolResult,
    Totals,
    WrongKeyError,
)
from ccod.testing.asking import Clock, Storages, conversation, projects, send
from ccod.testing.storage_usage import NANOS, answer
from ccod.testing.transcripts import Transcript, response, uses

Q = QUARTER_MS
ALL = FigureQuery((0, 4 * Q, 9 * Q))
ONE = Totals(response().usage, NANOS, 1)


async def fill(storage: Storage) -> None:
    """Store two conversations of two projects, a subagent, and a fork that copies what the first one said."""
    first = (
        Transcript("first").add(at=1, cwd="/w/one").add("assistant", tool_uses=uses("t1", "t2"), **answer("m1", at=2))
    )
    first.add(at=Q - 1, tool_results=[ToolResult("t1", duration_ms=30)])
    first.add("assistant", **answer("m2", at=4 * Q, model="small"))
    await send(storage, first)
    agent = Transcript("first", agent="a").add("assistant", tool_uses=uses("t3"), **answer("m3", at=5 * Q))
    await send(storage, agent.add(at=5 * Q, tool_results=[ToolResult("t3", is_error=True, duration_ms=10)]))
    await send(storage, Transcript("fork").add(at=1, cwd="/w/two").add("assistant", **answer("m1", at=2)))


class FigureContract:
    """What every storage must know over all conversations."""

    async def test_nothing_comes_to_nothing(self, storages: Storages) -> None:
        async with storages() as storage:
            assert await storage.figured() is None
            assert await storage.overview(ALL) == Overview(Figures(), None, [], [], [], [])
            assert await storage.usage(ALL) == []
            assert await storage.sessions(SessionQuery(0, Q)) == Page([], 0)

    async def test_an_overview(self, storages: Storages) -> None:
        async with storages() as storage:
            await fill(storage)
            assert await storage.figured() == (0, 6 * Q)
            found = await storage.overview(ALL)
            one, two = sorted(await projects(storage), key=lambda project: project.path)
            early = Figures(2, 3, 2, 2, 1, 0, ONE)
            late = Figures(1, 1, 2, 1, 0, 1, ONE + Totals(response().usage, 0, 1, 1))
            assert found.figures == Figures(2, 4, 4, 3, 1, 1, early.totals + late.totals)
            assert found.spans == [(0, early), (4 * Q, late)]
            assert {each.project_id: each.figures for each in found.projects} == {
                one.id: Figures(1, 3, 3, 3, 1, 1, early.totals + late.totals),
                two.id: Figures(1, 1, 1),
            }
            assert {each.project_name for each in found.projects} == {"one", "two"}
            assert {each.model: each.totals for each in found.models} == {
                "large": ONE + ONE,
                "small": Totals(response().usage, 0, 1, 1),
            }
            assert found.tools == [ToolFigures("Bash", 3, 1, 1, 2, 40)]
            assert found.average_duration_ms == round((5 * Q - 1 + 1) / 2)

            only = await storage.overview(FigureQuery((4 * Q, 5 * Q), one.id))
            assert (only.figures.conversation_count, only.figures.assistant_message_count) == (1, 1)
            assert (only.tools, [start for start, _ in only.spans]) == ([], [4 * Q])
            assert (await storage.overview(FigureQuery((0, 9 * Q), "nobody's"))).figures == Figures()

    async def test_usage_by_spans(self, storages: Storages) -> None:
        async with storages() as storage:
            await fill(storage)
            small = Totals(response().usage, 0, 1, 1)
            expected = [(0, "large", ONE), (4 * Q, "large", ONE), (4 * Q, "small", small)]
            found = await storage.usage(ALL)
            assert sorted(found, key=lambda each: (each.start, each.model)) == [SpanUsage(*each) for each in expected]
            assert await storage.usage(FigureQuery((4 * Q, 9 * Q), model="small")) == [SpanUsage(4 * Q, "small", small)]
            assert await storage.usage(FigureQuery((Q, 4 * Q))) == []
            assert await storage.usage(FigureQuery((Q,))) == []

    async def test_usage_by_conversations(self, storages: Storages) -> None:
        async with storages() as storage:
            await fill(storage)
            page = await storage.sessions(SessionQuery(0, 9 * Q))
            (only,) = page.items
            assert (only.conversation, page.total) == (await conversation(storage, "first"), 1)
            assert sorted(only.models, key=lambda each: each.model) == [
                ModelUsage("large", ONE + ONE),
                ModelUsage("small", Totals(response().usage, 0, 1, 1)),
            ]
            (early,) = (await storage.sessions(SessionQuery(0, Q, model="large"))).items
            assert early.models == [ModelUsage("large", ONE)]
            assert (await storage.sessions(SessionQuery(Q, 2 * Q))).total == 0
            (project,) = [each.id for each in await projects(storage) if each.name == "two"]
            assert (await storage.sessions(SessionQuery(0, Q, project_id=project))).total == 0

    async def test_what_is_forgotten_counts_no_more_and_its_copy_does(self, storages: Storages) -> None:
        async with storages() as storage:
            await fill(storage)
            await storage.forget_conversation("first")
            found = await storage.overview(ALL)
            (only,) = (await storage.sessions(SessionQuery(0, 9 * Q))).items
        assert found.figures == Figures(1, 1, 1, totals=ONE)
        assert (only.conversation.id, only.models) == ("fork", [ModelUsage("large", ONE)])

    async def test_a_made_project_waits_for_its_conversations(self, storages: Storages, clock: Clock) -> None:
        draft = ProjectDraft("/w/garden/", "Garden", "Where things grow", {"colour": "green"})
        async with storages() as storage:
            stored = await storage.create_project(draft)
            assert stored is not None
            assert [event.kind for event in stored.events] == ["project_discovered"]
            (made,) = await projects(storage)
            assert (stored.projects, stored.events[0].project_id) == ([made.id], made.id)
            assert (made.name, made.path, made.description) == ("Garden", "/w/garden", "Where things grow")
            assert (made.settings, made.conversation_count, made.last_activity) == ({"colour": "green"}, 0, None)
            assert await storage.create_project(ProjectDraft("/w/garden")) is None
            came = await send(storage, Transcript().add(at=7, cwd="/w/garden/.worktrees/x"))
            assert [event.kind for event in came.events] == ["conversation_started", "message_added"]
            assert came.events[0].seq > stored.events[0].seq
            (joined,) = await projects(storage)
        assert (joined.id, joined.name, joined.conversation_count) == (made.id, "Garden", 1)

    async def test_what_a_person_says_of_a_project_stays(self, storages: Storages, clock: Clock) -> None:
        transcript = Transcript().add(at=1, cwd="/w/garden")
        async with storages() as storage:
            await send(storage, transcript)
            (found,) = await projects(storage)
            stored = await storage.edit_project(found.id, ProjectEdit("My garden", settings={"a": [1]}))
            assert stored is not None
            assert [(event.kind, event.project_id) for event in stored.events] == [("project_updated", found.id)]
            await storage.edit_project(found.id, ProjectEdit(description="Green"))
            assert await storage.edit_project("nobody's", ProjectEdit("x")) is None
        async with storages() as storage:
            await send(storage, transcript.add(at=2))
            (edited,) = await projects(storage)
        assert (edited.name, edited.description, edited.settings) == ("My garden", "Green", {"a": [1]})
        assert (edited.updated_at, edited.path) == (clock.now, found.path)

    async def test_pages_behind_a_key_neither_repeat_nor_leave_out(self, storages: Storages) -> None:
        """A walk goes over what was there when it began, however much comes while it goes on."""
        async with storages() as storage:
            grown = Transcript("grown")
            for number in range(7):
                grown.add(at=10 + number % 2, tool_uses=uses(f"t{number}")).add_garbage()
                title = Title(f"title {number % 3}")
                await send(storage, Transcript(f"c{number}").add(at=number // 2, cwd=f"/w/{number}", title=title))
                await send(storage, Transcript(f"c{number}", agent="u").add("assistant", **answer(f"u{number}", at=5)))
            await send(storage, grown)
            for name, (read, identify) in lists(storage).items():
                whole = [identify(item) for item in (await read(None, 0, 100)).items]
                assert len(whole) == len(set(whole)) > 4, name
                walked: list[object] = []
                after: Key | None = None
                while True:
                    page = await read(after, 0, 3)
                    walked += [identify(item) for item in page.items]
                    await send(
                        storage, Transcript(f"new {name} {len(walked)}").add(at=1_000, cwd=f"/new/{name}").add_garbage()
                    )
                    after = page.next
                    if after is None:
                        break
                assert [each for each in walked if each in whole] == whole, name
                second = await read(None, 3, 3)
                assert len(second.items) == 3

    async def test_a_key_of_another_list_is_refused(self, storages: Storages) -> None:
        async with storages() as storage:
            await fill(storage)
            keys: list[Key] = [(), ("x",), (1, 2, 3, 4), ("x", "y", "z"), (2**70, 1, 2), (2**70, 1), (2**70,), (True,)]
            for read, _ in lists(storage).values():
                for key in keys:
                    with pytest.raises(WrongKeyError):
                        await read(key, 0, 3)


Reader = Callable[[Key | None, int, int], Awaitable[Page[Any]]]


def lists(storage: Storage) -> dict[str, tuple[Reader, Callable[[Any], object]]]:
    """Return every list that has keys: how to read it, and what names an item."""

    def of(read: Callable[[Any], Awaitable[Page[Any]]], query: type, **asked: Any) -> Reader:
        return lambda after, offset, limit: read(query(after=after, offset=offset, limit=limit, **asked))

    def its(read: Callable[[str, Any], Awaitable[Page[Any]]]) -> Callable[[Any], Awaitable[Page[Any]]]:
        return lambda query: read("grown", query)

    found: dict[str, tuple[Reader, Callable[[Any], object]]] = {
        "messages": (of(its(storage.messages), MessageQuery), lambda item: item.sequence),
        "messages down": (of(its(storage.messages), MessageQuery, descending=True), lambda item: item.sequence),
        "tool calls": (of(its(storage.tool_calls), ToolCallQuery), lambda item: item.call.id),
        "entries": (of(its(storage.entries), EntryQuery), lambda item: item.id),
        "quarantine": (of(storage.quarantine, QuarantineQuery), lambda item: (item.stream_id, item.offset)),
        "sessions": (of(storage.sessions, SessionQuery, start=0, end=9 * Q), lambda item: item.conversation.id),
    }
    for descending in (False, True):
        for sort in ("updatedAt", "createdAt", "title", "messageCount"):
            reader = of(storage.conversations, ConversationQuery, sort=sort, descending=descending)
            found[f"conversations {sort} {descending}"] = (reader, lambda item: item.id)
        for sort in ("updatedAt", "createdAt", "name", "lastActivity", "conversationCount"):
            reader = of(storage.projects, ProjectQuery, sort=sort, descending=descending)
            found[f"projects {sort} {descending}"] = (reader, lambda item: item.id)
    return found
