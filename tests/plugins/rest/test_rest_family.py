"""Subagents, the tree and titles: in whatever order the files of a session come, all ends the same."""

from __future__ import annotations

import random
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import trio

from ccod import ConversationQuery, Health
from ccod_rest.trees import messages_of, tree
from ccod_sql.settings import SqliteSettings
from ccod_sql.storage import SqlStorage
from tests.plugins.rest.family import FILES, OTHER, PARSERS, SECRET, SESSION, lines, said, store
from tests.plugins.rest.library import Library, library
from tests.prices import PRICES

PATH = f"/api/conversations/{SESSION}"


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Library]:
    async with library(tmp_path / "ccod.db") as opened:
        await store(opened.storage, list(FILES))
        yield opened


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("empty") / "empty.db"

    async def make() -> None:
        async with SqlStorage(SqliteSettings(path=str(path)), "machine", PRICES):
            pass

    trio.run(make)
    return path


@pytest.fixture
def opened(empty: Path, tmp_path: Path) -> Callable[[str], SqlStorage]:
    def open_(name: str) -> SqlStorage:
        path = shutil.copy(empty, tmp_path / name)
        return SqlStorage(SqliteSettings(path=str(path)), "machine", PRICES, parsers=PARSERS)

    return open_


async def seen(storage: SqlStorage) -> Any:
    subagents = await storage.subagents(SESSION)
    nodes = await storage.nodes(SESSION)
    knots = tree(nodes, {each.id: each.message_id for each in subagents if each.message_id})
    conversations = await storage.conversations(ConversationQuery())
    titles = {each.id: (each.title, each.message_count, each.subagent_count) for each in conversations.items}
    return titles, subagents, knots, messages_of(knots)


async def test_any_order_of_files_ends_in_the_same(opened: Callable[[str], SqlStorage]) -> None:
    async with opened("expected.db") as storage:
        await store(storage, list(FILES))
        expected = await seen(storage)
    assert expected[0] == {SESSION: ("A garden of roses", 9, 4), OTHER: ("Something else", 1, 0)}
    made = random.Random(1)
    for number in range(12):
        order = made.sample(list(FILES), len(FILES))
        async with opened(f"{number}.db") as storage:
            await store(storage, order)
            assert await seen(storage) == expected, order


async def test_reparsing_tells_the_same(opened: Callable[[str], SqlStorage]) -> None:
    async with opened("ccod.db") as storage:
        await store(storage, list(FILES))
        expected = await seen(storage)
        for _ in range(2):
            await storage.reparse()
            while await storage.maintain(Health()) is not None:
                pass
            assert await seen(storage) == expected
        await storage.reparse(SESSION)
        while await storage.maintain(Health()) is not None:
            pass
        assert await seen(storage) == expected


async def test_a_forgotten_conversation_leaves_nothing(opened: Callable[[str], SqlStorage]) -> None:
    async with opened("ccod.db") as storage:
        await store(storage, list(FILES))
        for key in (SESSION, OTHER):
            await storage.forget_conversation(key)
        assert await storage.subagents(SESSION) == ()
        assert await storage.nodes(SESSION) == []


async def test_subagents(house: Library) -> None:
    shown = {each["id"]: each for each in (await house.get(f"{PATH}/subagents"))["data"]}
    assert list(shown) == ["a1", "n1", "a2", "a3"]
    links = {id_: (each["toolUseId"], each["messageId"], each["parentAgentId"]) for id_, each in shown.items()}
    assert links == {
        "a1": ("toolu_1", "m2", None),
        "n1": ("toolu_n", "s2", "a1"),
        "a2": ("toolu_2", "m4", None),
        "a3": ("toolu_4", "m10", None),
    }
    first = shown["a1"]
    assert (first["agentType"], first["depth"], shown["n1"]["depth"]) == ("Explore", None, 2)
    assert first["description"] == "Look with «redacted:github-token»"
    assert (first["messageCount"], first["toolUsageCount"], first["model"]) == (2, 1, "claude-opus-4-5")
    assert (first["usage"]["totalTokens"], first["usage"]["costUsdMicros"]) == (15, 175)
    assert (first["startedAt"], first["durationMs"]) == ("2026-01-01T00:03:00.000Z", 60_000)
    assert (shown["a2"]["agentType"], shown["a2"]["model"], shown["a2"]["usage"]["costUsdMicros"]) == (None, None, 0)
    assert (await house.get("/api/conversations/none/subagents"))["error"]["code"] == "NOT_FOUND"


async def test_the_tree(house: Library) -> None:
    answer = await house.get(f"{PATH}/tree")
    nodes = {node["id"]: node for node in answer["data"]["nodes"]}
    assert answer["data"]["roots"] == ["m1", "m8"]
    assert answer["pagination"]["total"] == len(nodes) == 17
    parents = {id_: node["parentId"] for id_, node in nodes.items()}
    assert (parents["s1"], parents["n1"], parents["f1"], parents["q1"]) == ("m2", "s2", "m4", "m10")
    assert [id_ for id_, node in nodes.items() if node["danglingParent"]] == ["f1"]
    assert not any(node["cycle"] for node in nodes.values())
    assert nodes["m8"]["logicalParentId"] == "m7"
    assert nodes["m8"] | {"timestamp": ""} == {
        "id": "m8",
        "parentId": None,
        "logicalParentId": "m7",
        "depth": 0,
        "type": "system",
        "subtype": "compact_boundary",
        "role": None,
        "timestamp": "",
        "agentId": None,
        "isSidechain": False,
        "isMeta": False,
        "danglingParent": False,
        "cycle": False,
    }
    assert (nodes["n2"]["depth"], nodes["n2"]["agentId"], nodes["n2"]["isSidechain"]) == (5, "n1", True)
    assert (nodes["m11"]["role"], nodes["m9"]["isMeta"]) == ("user", True)


async def test_the_tree_of_messages(house: Library) -> None:
    nodes = {node["id"]: node for node in (await house.get(f"{PATH}/tree", messages="true"))["data"]["nodes"]}
    assert nodes.keys().isdisjoint({"m5", "m8"})
    assert (nodes["m6"]["parentId"], nodes["m6"]["depth"]) == ("m4", 4)
    assert (nodes["m9"]["parentId"], nodes["m9"]["logicalParentId"]) == (None, "m7")
    assert nodes["m10"]["logicalParentId"] is None


async def test_pages_of_the_tree(house: Library) -> None:
    whole = (await house.get(f"{PATH}/tree"))["data"]
    pages = [(await house.get(f"{PATH}/tree", limit=10, page=number))["data"] for number in (1, 2)]
    assert [node for page in pages for node in page["nodes"]] == whole["nodes"]
    assert all(page["roots"] == whole["roots"] for page in pages)


async def test_the_whole_output_of_a_tool(house: Library) -> None:
    (call,) = (await house.get(f"{PATH}/tool-calls", name="Bash"))["data"]
    (output,) = [each for each in (await house.get(f"{PATH}/attachments"))["data"] if each["agentId"] is None]
    assert call["output"] == "the beginning"
    assert (call["outputAttachmentId"], output["name"]) == (output["id"], "spilled.txt")
    answer = await house.http.get(f"{PATH}/attachments/{output['id']}")
    assert answer.text == "all of it\nexport TOKEN=«redacted:github-token»\nthe end"
    assert (await house.http.get(f"{PATH}/attachments/999")).status_code == 404
    assert (await house.http.get(f"{PATH}/attachments/{output['id']}?reveal=true")).status_code == 401


async def test_revealed_to_an_administrator(tmp_path: Path) -> None:
    async with library(tmp_path / "ccod.db", "admin") as house:
        await store(house.storage, list(FILES))
        (output,) = [each for each in (await house.get(f"{PATH}/attachments"))["data"] if each["agentId"] is None]
        assert SECRET in (await house.http.get(f"{PATH}/attachments/{output['id']}?reveal=true")).text


async def test_queued_prompts_are_messages(house: Library) -> None:
    messages = (await house.get(f"{PATH}/messages"))["data"]
    assert [(each["role"], each["content"]) for each in messages if each["id"] == "m11"] == [("user", "and roses")]
    assert [each["id"] for each in messages if each["isMeta"]] == ["m9"]


async def test_exports_hold_the_subagents(house: Library) -> None:
    shown = (await house.get(f"{PATH}/subagents"))["data"]
    whole = (await house.get(f"{PATH}/export", format="json"))["subagents"]
    assert [{key: value for key, value in each.items() if key != "messages"} for each in whole] == shown
    for each in whole:
        assert each["messages"] == (await house.get(f"{PATH}/messages", agent=each["id"]))["data"]
    page = (await house.http.get(f"{PATH}/export?format=html")).text
    assert page.count("<details><summary>subagent · ") == 4
    assert "subagent · Explore · Look with «redacted:github-token» · a1" in page
    text = (await house.http.get(f"{PATH}/export?format=md")).text
    assert text.count("<details>\n<summary>subagent · ") == text.count("</details>") == 4
    assert "look deeper" in page
    assert "look deeper" in text


async def test_one_subagent_is_exported_alone(house: Library) -> None:
    answer = await house.http.get(f"{PATH}/export?agent=n1")
    assert answer.content == FILES[f"p/{SESSION}/subagents/agent-n1.jsonl"]
    assert answer.headers["content-disposition"] == 'attachment; filename="agent-n1.jsonl"'
    alone = await house.get(f"{PATH}/export", format="json", agent="n1")
    assert [each["id"] for each in alone["subagents"]] == ["n1"]
    assert "messages" not in alone
    page = (await house.http.get(f"{PATH}/export?format=html&agent=n1")).text
    assert "look deeper" in page
    assert "Plant a garden</div>" not in page
    assert (await house.http.get(f"{PATH}/export?agent=none")).status_code == 404


async def test_the_lines_of_a_rewritten_file_are_exported_once(house: Library) -> None:
    first, second = FILES[f"p/{SESSION}.jsonl"], lines(said("m12", "m11", 20, "thanks"))
    title = b'{"type":"custom-title","customTitle":"Roses"}\n'
    await store(house.storage, [f"p/{SESSION}.jsonl#2"], {f"p/{SESSION}.jsonl#2": first + title + second})
    assert (await house.http.get(f"{PATH}/export")).content == first + title + second
