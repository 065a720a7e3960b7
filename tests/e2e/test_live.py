"""The way of a line: from a transcript file to REST and to an open WebSocket."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ccod.testing.waiting import eventually
from tests.e2e.daemon import Daemon
from tests.e2e.lines import SESSION, answer, line


def append(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        file.write(data)


async def messages(daemon: Daemon, count: int) -> list[dict[str, Any]]:
    """Wait until the conversation has `count` messages, and return them."""

    async def found() -> list[dict[str, Any]] | None:
        if not any(item["id"] == SESSION for item in await daemon.items("/api/conversations")):
            return None
        items = await daemon.items(f"/api/conversations/{SESSION}/messages")
        return items if len(items) >= count else None

    return await eventually(found, f"{count} messages")


async def test_a_transcript_becomes_projects_conversations_and_messages(daemon: Daemon) -> None:
    path = daemon.home.root / "-home-dev-demo" / f"{SESSION}.jsonl"
    append(path, line("hello") + answer("ls", tool="Bash") + answer("done"))
    assert [m["content"] for m in await messages(daemon, 3)] == ["hello", "", "done"]

    (project,) = (await daemon.get("/api/projects"))["data"]
    assert (project["name"], project["claudePath"], project["conversationCount"]) == ("demo", "/home/dev/demo", 1)
    answered = await daemon.get(f"/api/conversations?projectId={project['id']}")
    assert answered["pagination"] == {
        "page": 1,
        "limit": 20,
        "total": 1,
        "pages": 1,
        "hasNext": False,
        "hasPrev": False,
        "nextCursor": None,
    }
    conversation = answered["data"][0]
    assert conversation["title"] == "hello"
    assert conversation["status"] == "active"
    assert (conversation["messageCount"], conversation["responseCount"], conversation["toolUsageCount"]) == (3, 2, 1)


async def test_a_line_in_two_halves_appears_once_and_only_when_complete(daemon: Daemon) -> None:
    path = daemon.home.root / "-home-dev-demo" / f"{SESSION}.jsonl"
    async with daemon.websocket("conversations") as listener:
        append(path, line("first"))
        assert (await listener.event("message_added"))["message"]["content"] == "first"

        half = line("second “é” half")
        append(path, half[:-20])
        append(daemon.home.root / "-other" / "1c2d3e4f-0000-4000-8000-000000000000.jsonl", line("elsewhere"))
        assert (await listener.event("message_added"))["message"]["content"] == "elsewhere"

        append(path, half[-20:] + line("third"))
        added = [await listener.event("message_added") for _ in range(2)]
        assert [(a["conversationId"], a["message"]["content"]) for a in added] == [
            (SESSION, "second “é” half"),
            (SESSION, "third"),
        ]
    assert [m["content"] for m in await messages(daemon, 3)] == ["first", "second “é” half", "third"]


async def test_what_is_broadcast_can_be_read_and_the_conversation_follows(daemon: Daemon) -> None:
    path = daemon.home.root / "-home-dev-demo" / f"{SESSION}.jsonl"
    async with daemon.websocket("conversations") as listener:
        append(path, line("question"))
        added = await listener.event("message_added")
        stored = await daemon.items(f"/api/conversations/{SESSION}/messages")
        assert [added["message"]] == stored

        append(path, answer("reply"))

        def counts_both(message: dict[str, Any]) -> bool:
            data = message.get("data", {})
            return bool(data.get("event") == "conversation_updated" and data["conversation"]["messageCount"] == 2)

        updated = (await listener.next(counts_both))["data"]["conversation"]
        assert updated == (await daemon.get(f"/api/conversations/{SESSION}"))["data"]


async def test_the_state_of_a_conversation_follows_its_lines(daemon: Daemon) -> None:
    path = daemon.home.root / "-home-dev-demo" / f"{SESSION}.jsonl"
    async with daemon.websocket("conversations") as listener:
        append(path, line("question") + answer("ls", tool="Bash"))
        changed = await listener.event("conversation_state_changed")
        assert (changed["from"], changed["to"], changed["reason"]) == ("active", "pending_tool", "tool unanswered")
        append(path, answer("reply") + line("", type="system", subtype="turn_duration", message=None))
        changed = await listener.event("conversation_state_changed")
        assert (changed["conversationId"], changed["to"], changed["reason"]) == (SESSION, "waiting", "turn ended")
    (shown,) = (await daemon.get("/api/conversations?state=waiting&status=active"))["data"]
    assert (shown["id"], shown["stateReason"]) == (SESSION, "turn ended")


async def test_a_deleted_transcript_stays_readable(daemon: Daemon) -> None:
    path = daemon.home.root / "-home-dev-demo" / f"{SESSION}.jsonl"
    append(path, line("keep me"))
    kept = await messages(daemon, 1)
    path.unlink()

    async def gone() -> Any:
        return (await daemon.get(f"/api/conversations/{SESSION}"))["data"]["fileDeletedAt"]

    await eventually(gone, "mark of a deleted file")
    assert await messages(daemon, 1) == kept
    await daemon.restart()
    assert await messages(daemon, 1) == kept


async def test_lines_written_while_the_daemon_is_down_are_found(daemon: Daemon) -> None:
    path = daemon.home.root / "-home-dev-demo" / f"{SESSION}.jsonl"
    append(path, line("before"))
    await messages(daemon, 1)
    assert await daemon.terminate() == 0
    append(path, line("meanwhile"))
    await daemon.start()
    assert [m["content"] for m in await messages(daemon, 2)] == ["before", "meanwhile"]
