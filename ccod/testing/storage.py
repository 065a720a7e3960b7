"""What every storage must do. Tests inherit `StorageContract` and offer the fixtures `storages` and `clock`."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
import trio

from ccod import ConversationQuery, Message, MessageQuery, ProjectQuery, Title
from ccod.testing.asking import Clock, Storages, conversation, messages, projects, send
from ccod.testing.storage_counts import CountContract
from ccod.testing.storage_events import EventContract
from ccod.testing.storage_figures import FigureContract
from ccod.testing.storage_keeping import KeepingContract
from ccod.testing.storage_replays import ReplayContract
from ccod.testing.storage_revisions import RevisionContract
from ccod.testing.storage_sight import SightContract
from ccod.testing.storage_states import StateContract
from ccod.testing.storage_usage import UsageContract
from ccod.testing.transcripts import MINUTE, SOURCE, Transcript, response, results, uses


class StorageContract(
    ReplayContract,
    CountContract,
    EventContract,
    StateContract,
    UsageContract,
    KeepingContract,
    RevisionContract,
    FigureContract,
    SightContract,
):
    """The role `Storage`, observed from outside."""

    async def test_an_empty_storage_answers(self, storages: Storages) -> None:
        async with storages() as storage:
            assert await storage.checkpoints(SOURCE) == []
            assert (await storage.projects(ProjectQuery())).total == 0
            assert await storage.project("proj_0") is None
            assert (await storage.conversations(ConversationQuery())).items == []
            assert await storage.conversations_by_id([]) == []
            assert await storage.conversations_by_id(["nobody"]) == []
            assert (await storage.messages("nobody", MessageQuery())).total == 0

    async def test_what_is_stored_outlives_the_process(self, storages: Storages) -> None:
        transcript = Transcript().add(uuid="a", at=1, cwd="/w").add("assistant", uuid="b", at=2)
        async with storages() as storage:
            await send(storage, transcript)
            before = await messages(storage), await conversation(storage), await projects(storage)
        async with storages() as storage:
            assert (await messages(storage), await conversation(storage), await projects(storage)) == before
            ((stream, checkpoint),) = await storage.checkpoints(SOURCE)
            assert stream == transcript.stream
            assert (checkpoint.offset, checkpoint.state) == (transcript.size, f"state at {transcript.size}")
            assert await storage.checkpoints("another source") == []

    async def test_a_message_is_what_its_entry_said(self, storages: Storages) -> None:
        transcript = Transcript().add(uuid="a", at=1, meta=True)
        transcript.add("assistant", b"the answer", uuid="b", parent="a", at=2, sidechain=True, response=response("m"))
        async with storages() as storage:
            await send(storage, transcript)
            first, second = await messages(storage)
        assert first.meta
        assert (first.usage, first.model, first.response_id) == (None, None, None)
        assert second == Message(
            id="b",
            conversation_id="conversation-1",
            sequence=second.sequence,
            role="assistant",
            at=2,
            format="lines",
            body=b"the answer",
            parent_id="a",
            sidechain=True,
            model="large",
            response_id="m",
            usage=response("m").usage,
        )
        assert second.sequence > first.sequence

    async def test_records_on_one_line_are_apart(self, storages: Storages) -> None:
        transcript = Transcript().add(body=b"{one}{two}", uuid="a", at=1)
        glued = transcript.parsed.pop()
        transcript.parsed += [
            msgspec.structs.replace(glued, length=5),
            msgspec.structs.replace(glued, offset=5, length=5, uuid="b"),
        ]
        async with storages() as storage:
            batch, _ = transcript.batch()
            await storage.append(SOURCE, batch, transcript.parsed)
            assert [message.body for message in await messages(storage)] == [b"{one}", b"{two}"]

    async def test_unreadable_bytes_are_no_messages(self, storages: Storages) -> None:
        transcript = Transcript().add(uuid="a").add_garbage().add(uuid="b")
        async with storages() as storage:
            await send(storage, transcript)
            assert len(await messages(storage)) == 2

    async def test_a_batch_of_garbage_alone_moves_on(self, storages: Storages) -> None:
        transcript = Transcript().add_garbage()
        async with storages() as storage:
            stored = await send(storage, transcript)
            assert stored.events == ()
            assert (await storage.checkpoints(SOURCE))[0][1].offset == transcript.size
            stored = await send(storage, transcript.add(uuid="a", at=1))
            assert [event.kind for event in stored.events] == ["conversation_started", "message_added"]

    async def test_large_lines_come_back_whole(self, storages: Storages) -> None:
        transcript = Transcript()
        for number in range(12):
            transcript.add(body=bytes([65 + number]) * 300_000, uuid=str(number), at=number)
        async with storages() as storage:
            await send(storage, transcript)
            assert [message.body[:1] * 300_000 for message in await messages(storage)] == [
                record.body[:-1] for record in transcript.records
            ]

    async def test_news_are_told_in_order_and_once(self, storages: Storages) -> None:
        transcript = Transcript().add("summary").add(uuid="a", at=1, cwd="/w")
        async with storages() as storage:
            stored = await send(storage, transcript, change="add")
            kinds = [event.kind for event in stored.events]
            assert kinds == ["project_discovered", "conversation_started", "message_added"]
            (project,) = await projects(storage)
            assert {(event.conversation_id, event.project_id) for event in stored.events} == {
                ("conversation-1", project.id)
            }
            assert (stored.conversations, stored.projects) == (["conversation-1"], [project.id])
            assert stored.file is not None
            assert (stored.file.type, stored.file.path, stored.file.size) == (
                "add",
                transcript.stream.path,
                transcript.size,
            )
            last = stored.events[-1].seq
        async with storages() as storage:
            stored = await send(storage, transcript.add(uuid="b", at=2).add("system").add("assistant", uuid="c"))
            assert [event.kind for event in stored.events] == ["message_added"] * 2
            assert last < stored.events[0].seq < stored.events[1].seq

    async def test_a_told_message_is_the_stored_one(self, storages: Storages) -> None:
        transcript = Transcript().add(at=1)
        transcript.add("assistant", at=2, response=response(output=1), tool_uses=uses("t"))
        transcript.add("assistant", at=3, response=response(output=9), tool_uses=uses("s"))
        transcript.add(at=4, tool_results=results("t"))
        async with storages() as storage:
            stored = await send(storage, transcript)
            assert [event.message for event in stored.events if event.message] == await messages(storage)

    async def test_history_is_no_news(self, storages: Storages) -> None:
        transcript = Transcript().add(uuid="a", at=1, cwd="/w")
        async with storages() as storage:
            stored = await send(storage, transcript, history=True)
            assert stored.events == ()
            assert stored.conversations == ["conversation-1"]
            assert len(stored.projects) == 1
            stored = await send(storage, transcript.add(uuid="b", at=2))
            assert [event.kind for event in stored.events] == ["message_added", "conversation_state_changed"]

    async def test_rows_outlive_their_file(self, storages: Storages, clock: Clock) -> None:
        transcript = Transcript().add(at=1)
        async with storages() as storage:
            await send(storage, transcript)
            stored = await send(storage, transcript, change="unlink")
            assert stored.file is not None
            assert (stored.file.type, stored.conversations) == ("unlink", ["conversation-1"])
            assert (await conversation(storage)).file_deleted_at == clock.now
            assert len(await messages(storage)) == 1
            clock.now += MINUTE
            again = await send(storage, transcript, change="unlink")
            assert again.conversations == ()
            await send(storage, transcript.add(at=2))
            assert (await conversation(storage)).file_deleted_at is None

    async def test_an_agents_file_is_not_the_conversations(self, storages: Storages) -> None:
        own, agent = Transcript().add(at=1), Transcript(agent="a").add(at=2)
        async with storages() as storage:
            await send(storage, own)
            await send(storage, agent)
            await send(storage, agent, change="unlink")
            shown = await conversation(storage)
        assert (shown.file_path, shown.file_deleted_at) == (own.stream.path, None)

    async def test_a_renamed_file_keeps_its_stream(self, storages: Storages) -> None:
        transcript = Transcript().add(at=1)
        async with storages() as storage:
            await send(storage, transcript)
            transcript.stream = msgspec.structs.replace(transcript.stream, path="/moved")
            await send(storage, transcript)
            assert (await conversation(storage)).file_path == "/moved"
            ((stream, checkpoint),) = await storage.checkpoints(SOURCE)
            assert (stream.path, checkpoint.offset) == ("/moved", transcript.size)

    async def test_a_file_never_read_leaves_no_trace(self, storages: Storages) -> None:
        async with storages() as storage:
            stored = await send(storage, Transcript(), change="unlink")
            assert stored.file is not None
            assert await storage.checkpoints(SOURCE) == []
            assert (await storage.conversations(ConversationQuery())).total == 0

    async def test_messages_come_in_pages(self, storages: Storages) -> None:
        transcript = Transcript()
        for number in range(30):
            transcript.add("assistant" if number % 3 else "user", uuid=f"{number:02}", at=100 - number % 2)
        async with storages() as storage:
            await send(storage, transcript, until=20)
            await send(storage, transcript)
            everything = await messages(storage)
            assert [(m.at, m.sequence) for m in everything] == sorted((m.at, m.sequence) for m in everything)
            for descending, order in ((False, everything), (True, everything[::-1])):
                pages = [
                    await storage.messages(
                        "conversation-1", MessageQuery(offset=offset, limit=7, descending=descending)
                    )
                    for offset in range(0, 35, 7)
                ]
                assert [m for page in pages for m in page.items] == order
                assert {page.total for page in pages} == {30}
            users = await storage.messages("conversation-1", MessageQuery(role="user", limit=4))
            assert (len(users.items), users.total) == (4, 10)
            assert {message.role for message in users.items} == {"user"}
            beyond = await storage.messages("conversation-1", MessageQuery(offset=99))
            assert (beyond.items, beyond.total) == ([], 30)

    async def test_conversations_are_filtered_and_sorted(self, storages: Storages) -> None:
        spans = {"a": (10, 20), "b": (15, 40), "c": (30, 35)}
        async with storages() as storage:
            for key, (start, end) in spans.items():
                title = Title(key.upper() if key != "a" else "Z")
                await send(storage, Transcript(key).add(at=start, title=title).add(at=end), history=True)

            async def ids(**query: Any) -> list[str]:
                page = await storage.conversations(ConversationQuery(**query))
                assert page.total >= len(page.items)
                return [item.id for item in page.items]

            assert await ids() == ["b", "c", "a"]
            assert await ids(descending=False) == ["a", "c", "b"]
            assert await ids(sort="createdAt") == ["c", "b", "a"]
            assert await ids(sort="title", descending=False) == ["b", "c", "a"]
            assert await ids(sort="messageCount", limit=2, offset=1) == ["b", "a"]
            assert await ids(since=20) == ["b", "c", "a"]
            assert await ids(since=21, until=29) == ["b"]
            assert await ids(until=14) == ["a"]
            assert await ids(project_id="nobody's") == []

    async def test_conversations_are_found_by_the_beginning_of_their_id(self, storages: Storages) -> None:
        keys = ["ab", "abc", "abd", "a%", "a_", "b", "aé", "AB"]
        async with storages() as storage:
            for number, key in enumerate(keys):
                await send(storage, Transcript(key).add(at=number + 1), history=True)

            async def found(prefix: str, **query: Any) -> tuple[list[str], int]:
                page = await storage.conversations(ConversationQuery(id_prefix=prefix, descending=False, **query))
                return [item.id for item in page.items], page.total

            assert await found("ab") == (["ab", "abc", "abd"], 3)
            assert await found("ab", limit=1) == (["ab"], 3)
            assert await found("ab", since=2) == (["abc", "abd"], 2)
            assert await found("a%") == (["a%"], 1)
            assert await found("a_") == (["a_"], 1)
            assert await found("aé") == (["aé"], 1)
            assert await found("abcd") == ([], 0)
            assert await found("") == (keys, len(keys))

    @pytest.mark.parametrize("sort", ["updatedAt", "createdAt", "name", "lastActivity", "conversationCount"])
    async def test_projects_are_sorted(self, storages: Storages, sort: Any) -> None:
        async with storages() as storage:
            for number in range(3):
                await send(storage, Transcript(f"{number}").add(at=number + 1, cwd=f"/{number}"), history=True)
            await send(storage, Transcript("more").add(at=3, cwd="/2"), history=True)
            first = await storage.projects(ProjectQuery(sort=sort, limit=1))
            last = await storage.projects(ProjectQuery(sort=sort, limit=1, descending=False))
            assert (first.items[0].name, first.total) == ("2", 3)
            assert last.items[0].name in {"0", "1"}
            named = await storage.projects(ProjectQuery(sort=sort, name="1"))
            assert ([each.name for each in named.items], named.total) == (["1"], 1)
            assert (await storage.projects(ProjectQuery(sort=sort, name="nobody's"))).total == 0

    async def test_reads_go_on_beside_writes(self, storages: Storages) -> None:
        transcript = Transcript()
        async with storages() as storage:
            await send(storage, transcript.add(at=0))

            async def read() -> None:
                for _ in range(10):
                    page = await storage.messages("conversation-1", MessageQuery(limit=200))
                    assert len(page.items) == page.total

            async with trio.open_nursery() as nursery:
                for _ in range(3):
                    nursery.start_soon(read)
                for number in range(20):
                    await send(storage, transcript.add(at=number))
