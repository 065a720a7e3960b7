"""What a storage makes of entries: conversations, responses, tool calls, projects."""

from __future__ import annotations

import msgspec
import pytest

from ccod import ConversationQuery, MessageQuery, Title, ToolResult, Usage
from ccod.testing.asking import Clock, Storages, conversation, maintain, messages, projects, send
from ccod.testing.transcripts import MINUTE, Transcript, response, results, uses


class CountContract:
    """What every storage must know of conversations and projects."""

    async def test_counts_are_the_conversations_own(self, storages: Storages) -> None:
        own = Transcript().add(uuid="a", at=1).add("system", at=2)
        own.add("assistant", uuid="b", at=3, response=response("m1", 10), tool_uses=uses("t1", "t2"))
        own.add("assistant", uuid="c", at=4, response=response("m1", 25))
        own.add("assistant", uuid="d", at=5, response=response("m2", 1), sidechain=True)
        own.add(uuid="e", at=6, tool_results=[*results("t1"), *results("t2", is_error=True)])
        agent = Transcript(agent="a1").add(uuid="f", at=7)
        agent.add("assistant", uuid="g", at=9, response=response("m3"), tool_uses=uses("t3"), error=True)
        async with storages() as storage:
            await send(storage, own)
            await send(storage, agent)
            await send(storage, Transcript(agent="a1", key="again").add(uuid="h", at=8))
            shown = await conversation(storage)
            assert [message.id for message in await messages(storage)] == ["a", "b", "c", "d", "e"]
            assert [message.id for message in await messages(storage, agent="a1")] == ["f", "h", "g"]
            assert (await storage.messages("conversation-1", MessageQuery(agent="a1", role="user"))).total == 2
        assert (shown.message_count, shown.user_message_count, shown.assistant_message_count) == (5, 2, 3)
        assert (shown.response_count, shown.tool_call_count, shown.tool_error_count) == (2, 2, 1)
        assert shown.subagent_count == 1
        assert shown.usage == Usage(input_tokens=6, output_tokens=26, cache_creation_1h_tokens=10, cache_read_tokens=14)
        assert (shown.created_at, shown.updated_at) == (1, 9)

    async def test_a_conversation_tells_of_its_latest_entries(self, storages: Storages) -> None:
        transcript = Transcript().add(at=1, version="1", branch="main", cwd="/w")
        transcript.add("assistant", at=2, response=response(model="large"), version="2", branch="")
        transcript.add("assistant", at=3, response=response("m2", model="notice", usage=Usage()), branch="fix")
        async with storages() as storage:
            await send(storage, transcript)
            shown = await conversation(storage)
        assert (shown.version, shown.branch, shown.model) == ("2", "fix", "large")
        assert (shown.file_path, shown.machine) == (transcript.stream.path, "machine")

    @pytest.mark.parametrize(
        ("titles", "shown"),
        [
            ([], "conversa"),
            ([(0, "first"), (0, "second")], "first"),
            ([(0, "prompt"), (20, "summary")], "summary"),
            ([(30, "old"), (30, "new"), (20, "lower")], "new"),
            ([(50, "custom"), (0, "prompt")], "custom"),
        ],
    )
    async def test_title(self, storages: Storages, titles: list[tuple[int, str]], shown: str) -> None:
        transcript = Transcript().add()
        async with storages() as storage:
            await send(storage, transcript)
            for rank, text in titles:
                await send(storage, transcript.add("title", title=Title(text, rank)))
            await send(storage, Transcript(agent="a").add(title=Title("of the agent", 50)))
            assert (await conversation(storage)).title == shown

    async def test_status_shown_and_asked_agree(self, storages: Storages, clock: Clock) -> None:
        async with storages() as storage:
            await send(storage, Transcript("old").add(at=clock.now - 60 * MINUTE), history=True)
            await send(storage, Transcript("live").add(at=5))
            broken = Transcript("broken").add("assistant", at=5, error=True).add(at=6)
            await send(storage, broken)
            mended = Transcript("mended").add("assistant", at=5, error=True).add("assistant", at=6)
            await send(storage, mended)

            async def statuses() -> dict[str, str]:
                found = (await storage.conversations(ConversationQuery())).items
                for status in ("active", "completed", "error"):
                    page = await storage.conversations(ConversationQuery(status=status))
                    assert {item.id for item in page.items} == {item.id for item in found if item.status == status}
                    assert page.total == len(page.items)
                return {item.id: item.status for item in found}

            expected = {"old": "completed", "live": "active", "broken": "error", "mended": "active"}
            assert await statuses() == expected
            clock.now += 5 * MINUTE + 1
            await maintain(storage)
            assert await statuses() == expected | {"live": "completed", "mended": "completed"}
            await send(storage, Transcript("live", agent="a").add(at=7))
            assert (await statuses())["live"] == "active"

    async def test_entries_without_a_time_take_the_last_one(self, storages: Storages, clock: Clock) -> None:
        transcript = Transcript().add("summary").add(uuid="a").add(uuid="b", at=50).add(uuid="c").add(uuid="d", at=40)
        async with storages() as storage:
            await send(storage, transcript, until=2)
            assert (await conversation(storage)).created_at == clock.now
            await send(storage, transcript)
            assert [(m.id, m.at) for m in await messages(storage)] == [
                ("d", 40),
                ("b", 50),
                ("c", 50),
                ("a", clock.now),
            ]
            shown = await conversation(storage)
        assert (shown.created_at, shown.updated_at) == (40, 50)

    async def test_the_largest_response_wins_in_any_order(self, storages: Storages) -> None:
        lines = [response(output=output, model=f"model {output}") for output in (5, 90, 40)]
        async with storages() as storage:
            for number, order in enumerate(([0, 1, 2], [2, 1, 0], [1, 0, 2])):
                transcript = Transcript(f"c{number}")
                for at, index in enumerate(order):
                    await send(storage, transcript.add("assistant", at=at, response=lines[index]))
                assert (await conversation(storage, f"c{number}")).usage.output_tokens == 90
                for message in await messages(storage, f"c{number}"):
                    assert (message.usage, message.model) == (lines[1].usage, "model 90")

    async def test_tool_calls_pair_in_any_order(self, storages: Storages) -> None:
        use = Transcript("use").add("assistant", uuid="u", at=100, tool_uses=uses("t"))
        answer = Transcript("use", key="answer").add(uuid="r", at=350, tool_results=results("t", is_error=True))
        async with storages() as storage:
            await send(storage, use)
            (message,) = await messages(storage, "use")
            (call,) = message.tool_calls
            assert (call.status, call.duration_ms, call.result_message_id) == ("pending", None, None)
            await send(storage, answer)
            for transcript in (answer, use):
                transcript.stream = msgspec.structs.replace(
                    transcript.stream, key=f"other {transcript.stream.key}", conversation="answer first"
                )
                await send(storage, transcript, since=0)
            for key in ("use", "answer first"):
                (call,) = (await messages(storage, key, role="assistant"))[0].tool_calls
                assert (call.id, call.name, call.status) == ("t", "Bash", "error")
                assert (call.duration_ms, call.result_message_id) == (250, "r")
                assert (await conversation(storage, key)).tool_error_count == 1

    async def test_a_stated_duration_stands(self, storages: Storages) -> None:
        transcript = Transcript().add("assistant", at=1, tool_uses=uses("z", "a"))
        transcript.add(at=900, tool_results=[ToolResult("z", duration_ms=7), ToolResult("a")])
        async with storages() as storage:
            await send(storage, transcript)
            calls = (await messages(storage))[0].tool_calls
        assert [(call.id, call.duration_ms) for call in calls] == [("z", 7), ("a", 899)]

    async def test_a_result_without_its_use_is_an_error_but_no_call(self, storages: Storages) -> None:
        async with storages() as storage:
            await send(storage, Transcript().add(tool_results=results("t", is_error=True)))
            shown = await conversation(storage)
        assert (shown.tool_call_count, shown.tool_error_count) == (0, 1)

    async def test_projects_come_from_the_first_working_directory(self, storages: Storages) -> None:
        async with storages() as storage:
            first = Transcript("c1").add("summary")
            await send(storage, first)
            nowhere = await conversation(storage, "c1")
            assert (nowhere.project_id, nowhere.project_name, nowhere.cwd) == (None, "c1", None)
            await send(storage, first.add(at=10, cwd="/home/me/code").add(at=20, cwd="/elsewhere"))
            await send(storage, Transcript("c2").add(at=5, cwd="/home/me/code/.worktrees/x/src"))
            await send(storage, Transcript("c3").add(at=7, cwd="/home/me/code/.worktrees/y"))
            await send(storage, Transcript("c4").add(at=8, cwd="/home/me/other"))
            await send(storage, Transcript("c4", agent="a").add(at=90, cwd="/tmp"))
            code, other = await projects(storage)
            assert (code.name, code.path, code.machine) == ("code", "/home/me/code", "machine")
            assert (code.conversation_count, code.created_at, code.last_activity) == (3, 5, 20)
            assert (other.name, other.conversation_count, other.last_activity) == ("other", 1, 90)
            assert await storage.project(code.id) == code
            page = await storage.conversations(ConversationQuery(project_id=code.id))
            assert ({item.id for item in page.items}, page.total) == ({"c1", "c2", "c3"}, 3)
            assert {item.project_name for item in page.items} == {"code"}
            moved = await conversation(storage, "c1")
            assert (moved.cwd, moved.latest_cwd) == ("/home/me/code", "/elsewhere")
