"""Tool calls with what they were given and what they answered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.plugins.rest.library import SESSION, Library, library

PATH = f"/api/conversations/{SESSION}/tool-calls"


def _use(key: str, name: str, command: str) -> list[dict[str, Any]]:
    return [{"type": "tool_use", "id": key, "name": name, "input": {"command": command}}]


def _result(key: str, output: str, *, is_error: bool = False) -> list[dict[str, Any]]:
    return [{"type": "tool_result", "tool_use_id": key, "content": output, "is_error": is_error}]


async def _fill(house: Library) -> None:
    await house.add(
        house.said("assistant", _use("t1", "Bash", "ls")),
        house.said("user", _result("t1", "garden")),
        house.said("assistant", _use("t2", "Bash", "cat none")),
        house.said("user", _result("t2", "no such file", is_error=True)),
        house.said("assistant", _use("t3", "Read", "x")),
    )


async def test_in_order_with_input_and_output(tmp_path: Path) -> None:
    async with library(tmp_path / "ccod.db") as house:
        await _fill(house)
        answer = await house.get(PATH)
    shown = [(call["id"], call["name"], call["status"], call["input"], call["output"]) for call in answer["data"]]
    assert shown == [
        ("t1", "Bash", "success", {"command": "ls"}, "garden"),
        ("t2", "Bash", "error", {"command": "cat none"}, "no such file"),
        ("t3", "Read", "pending", {"command": "x"}, None),
    ]
    first, _, last = answer["data"]
    assert (first["durationMs"], first["agentId"]) == (60_000, None)
    assert first["messageId"].endswith("000001")
    assert first["resultMessageId"].endswith("000002")
    assert (last["durationMs"], last["resultMessageId"]) == (None, None)


async def test_filters_and_pages(tmp_path: Path) -> None:
    async with library(tmp_path / "ccod.db") as house:
        await _fill(house)

        async def ids(**query: Any) -> tuple[list[str], int]:
            answer = await house.get(PATH, **query)
            return [call["id"] for call in answer["data"]], answer["pagination"]["total"]

        assert await ids(status="error") == (["t2"], 1)
        assert await ids(status="success") == (["t1"], 1)
        assert await ids(status="pending") == (["t3"], 1)
        assert await ids(name="Bash") == (["t1", "t2"], 2)
        assert await ids(agent="a1") == ([], 0)
        assert await ids(page=2, limit=2) == (["t3"], 3)
        assert (await house.get("/api/conversations/none/tool-calls"))["error"]["code"] == "NOT_FOUND"


async def test_secrets_are_masked(tmp_path: Path) -> None:
    secret = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
    async with library(tmp_path / "ccod.db") as house:
        await house.add(
            house.said("assistant", _use("t1", "Bash", f"export TOKEN={secret}")),
            house.said("user", _result("t1", f"token {secret}")),
        )
        answer = (await house.http.get(PATH)).text
    assert '"t1"' in answer
    assert secret not in answer
