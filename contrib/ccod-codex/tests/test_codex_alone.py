"""Codex instead of Claude Code, whose plugin is left out: what the API promises holds of rollouts alone."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import trio

from ccod.testing.waiting import eventually
from tests.e2e.daemon import CCOD, Daemon, open_daemon
from tests.e2e.home import Tables

FIRST, SECOND = "019a2d7a-41c4-78b1-b7cc-a45d62a89cd5", "019a2d7b-0000-7000-8000-000000000002"
PRICE = {"input": 1.25, "output": 10.0, "cache_read": 0.125}
MODEL = "gpt-5-codex"
SECRET = "ghp_" + "x7Kq2mZ9pL4vT8nB1cR6wY3jH5dF0gS2aE7u"


def line(kind: str, second: int = 0, **payload: Any) -> bytes:
    stamp = f"2026-01-02T10:00:{second:02}.000Z"
    return json.dumps({"timestamp": stamp, "type": kind, "payload": payload}).encode() + b"\n"


def said(role: str, text: str, second: int = 0) -> bytes:
    return line("response_item", second, type="message", role=role, content=[{"type": "text", "text": text}])


def paid(given: int, cached: int, answered: int, *, total: int) -> bytes:
    last = {"input_tokens": given, "cached_input_tokens": cached, "output_tokens": answered}
    info = {"total_token_usage": {"input_tokens": total, "output_tokens": answered}, "last_token_usage": last}
    return line("event_msg", type="token_count", info=info)


def begun(thread: str, cwd: str = "/home/ada/house") -> bytes:
    meta = line("session_meta", id=thread, cwd=cwd, cli_version="0.46.0", git={"branch": "main"})
    return meta + line("turn_context", model=MODEL, cwd=cwd)


class Codex:
    """Writes rollouts as Codex does."""

    def __init__(self, sessions: Path, daemon: Daemon) -> None:
        self.folder = sessions / "2026" / "01" / "02"
        self.folder.mkdir(parents=True)
        self.daemon = daemon

    def rollout(self, thread: str) -> Path:
        return self.folder / f"rollout-2026-01-02T10-00-00-{thread}.jsonl"

    def write(self, thread: str, data: bytes) -> None:
        with self.rollout(thread).open("ab") as file:
            file.write(data)

    async def texts(self, thread: str, count: int) -> list[str]:
        """Wait until the conversation has `count` messages, and return what they say."""

        async def found() -> list[dict[str, Any]] | None:
            if await self.daemon.status(f"/api/conversations/{thread}") != 200:
                return None
            items = await self.daemon.items(f"/api/conversations/{thread}/messages")
            return items if len(items) >= count else None

        return [str(each["content"]) for each in await eventually(found, f"{count} messages")]


@asynccontextmanager
async def working(path: Path) -> AsyncIterator[Codex]:
    sessions = path / "codex" / "sessions"
    tables: Tables = {
        "codex": {"roots": [str(sessions)]},
        "pricelist": {"models": {MODEL: PRICE}},
        "http": {"socket": str(path / "s" / "ccod.sock")},
    }
    async with open_daemon(path, tables, start=False) as daemon:
        daemon.home.variables["CCOD_DISABLE"] = "claude"
        codex = Codex(sessions, daemon)
        await daemon.start()
        yield codex


@pytest.fixture
async def codex(tmp_path: Path) -> AsyncIterator[Codex]:
    async with working(tmp_path) as codex:
        yield codex


async def ccod(daemon: Daemon, *arguments: str) -> str:
    command = [str(CCOD), *arguments, "--config", str(daemon.home.config)]
    environment = daemon.home.environment
    with trio.fail_after(60):
        done = await trio.run_process(command, capture_stdout=True, env=environment, cwd=daemon.home.path)
    return done.stdout.decode()


async def test_rollouts_are_projects_conversations_and_messages_and_nothing_else_is(codex: Codex) -> None:
    daemon = codex.daemon
    transcript = daemon.home.root / "-home-dev-demo" / f"{uuid4()}.jsonl"
    transcript.parent.mkdir()
    transcript.write_text('{"type":"user","cwd":"/home/ada","uuid":"u","message":{"content":"not read"}}\n')
    codex.write(FIRST, begun(FIRST) + said("user", "hello") + said("assistant", "hello to you"))
    codex.write(SECOND, begun(SECOND, "/home/ada/garden") + said("user", "dig"))
    assert await codex.texts(FIRST, 2) == ["hello", "hello to you"]
    assert await codex.texts(SECOND, 1) == ["dig"]
    projects = {each["name"]: each for each in await daemon.items("/api/projects")}
    assert {name: each["claudePath"] for name, each in projects.items()} == {
        "house": "/home/ada/house",
        "garden": "/home/ada/garden",
    }
    (listed,) = (await daemon.get(f"/api/conversations?projectId={projects['garden']['id']}"))["data"]
    assert (listed["id"], listed["messageCount"]) == (SECOND, 1)
    plugins = {each["name"]: each["state"] for each in (await daemon.get("/api/plugins"))["data"]}
    assert (plugins["claude"], plugins["codex"]) == ("disabled", "loaded")
    metrics = (await daemon.logged("listening too"))["url"]
    figures = (await daemon.client.get(f"{metrics.rstrip('/')}/metrics")).text
    assert 'ccod_watch_files{source="codex"} 2.0' in figures


async def test_a_line_in_two_halves_is_broadcast_once_and_in_order(codex: Codex) -> None:
    async with codex.daemon.websocket("conversations") as listener:
        codex.write(FIRST, begun(FIRST) + said("user", "first"))
        assert (await listener.event("message_added"))["message"]["content"] == "first"
        half = said("user", "second “é” half")
        codex.write(FIRST, half[:-20])
        codex.write(SECOND, begun(SECOND) + said("user", "elsewhere"))
        assert (await listener.event("message_added"))["message"]["content"] == "elsewhere"
        codex.write(FIRST, half[-20:] + said("assistant", "third"))
        added = [await listener.event("message_added") for _ in range(2)]
        assert [each["message"]["content"] for each in added] == ["second “é” half", "third"]
        assert added[1]["message"] == (await codex.daemon.items(f"/api/conversations/{FIRST}/messages"))[-1]


async def test_the_state_follows_the_turns(codex: Codex) -> None:
    call = line("response_item", type="function_call", name="shell", arguments='{"command":["ls"]}', call_id="c1")
    output = line("response_item", type="function_call_output", call_id="c1", output="Exit code: 1\nOutput:\nbricks")
    async with codex.daemon.websocket("conversations") as listener:
        codex.write(FIRST, begun(FIRST) + said("user", "look") + call)
        changed = await listener.event("conversation_state_changed")
        assert (changed["from"], changed["to"]) == ("active", "pending_tool")
        codex.write(FIRST, output + line("event_msg", type="task_complete", last_agent_message="done"))
        changed = await listener.event("conversation_state_changed")
        while changed["to"] != "waiting":
            changed = await listener.event("conversation_state_changed")
        assert changed["conversationId"] == FIRST
    (call_,) = await codex.daemon.items(f"/api/conversations/{FIRST}/tool-calls")
    assert (call_["name"], call_["status"]) == ("shell", "error")
    (shown,) = (await codex.daemon.get("/api/conversations?state=waiting"))["data"]
    assert (shown["id"], shown["toolErrorCount"]) == (FIRST, 1)


async def test_usage_is_counted_priced_and_told_by_day_and_command(codex: Codex) -> None:
    daemon = codex.daemon
    codex.write(FIRST, begun(FIRST) + said("user", "count") + paid(1000, 400, 50, total=1000))
    codex.write(FIRST, said("assistant", "one") + paid(2000, 0, 10, total=3000))
    micros = round(2600 * PRICE["input"] + 400 * PRICE["cache_read"] + 60 * PRICE["output"])

    async def is_paid() -> bool:
        if await daemon.status(f"/api/conversations/{FIRST}") != 200:
            return False
        return bool((await daemon.get(f"/api/conversations/{FIRST}"))["data"]["responseCount"] == 2)

    await eventually(is_paid, "two responses")
    found = (await daemon.get(f"/api/conversations/{FIRST}/analytics"))["data"]
    assert (found["usage"]["inputTokens"], found["usage"]["cacheReadTokens"]) == (2600, 400)
    assert (found["usage"]["outputTokens"], found["usage"]["costUsdMicros"]) == (60, micros)
    assert [each["model"] for each in found["models"]] == [MODEL]
    (day,) = await daemon.items("/api/usage/daily")
    assert (day["usage"]["costUsdMicros"], day["usage"]["outputTokens"]) == (micros, 60)
    overview = (await daemon.get("/api/analytics/overview?startDate=2026-01-01&endDate=2026-01-03"))["data"]
    assert str(micros) in json.dumps(overview)
    told = json.loads(await ccod(daemon, "usage", "daily", "--json"))
    assert [each["usage"]["outputTokens"] for each in told["daily"]] == [60]


async def test_all_that_was_said_is_found_with_secrets_masked(codex: Codex) -> None:
    daemon = codex.daemon
    codex.write(FIRST, begun(FIRST) + said("user", f"a needle beside {SECRET}") + said("user", "hay"))

    async def hits() -> Any:
        return (await daemon.get("/api/search?q=needle"))["data"]["hits"]

    (hit,) = await eventually(hits, "a hit")
    assert hit["conversationId"] == FIRST
    for shown in (hit, await daemon.items(f"/api/conversations/{FIRST}/messages")):
        assert "x7Kq2mZ9" not in json.dumps(shown)
        assert "needle" in json.dumps(shown)
    assert FIRST in await ccod(daemon, "search", "needle", "--json")
    (listed,) = json.loads(await ccod(daemon, "sessions", "--json"))["conversations"]
    assert listed["id"] == FIRST


async def test_it_goes_on_where_it_was_over_kills_and_gives_back_every_byte(codex: Codex, tmp_path: Path) -> None:
    daemon, body = codex.daemon, begun(FIRST)
    codex.write(FIRST, body)
    for number in range(3):
        up, down = said("user", f"up {number}"), said("assistant", f"down {number}")
        codex.write(FIRST, up)
        await codex.texts(FIRST, 2 * number + 1)
        await daemon.kill()
        codex.write(FIRST, down)
        body += up + down
        await daemon.start()
        await codex.texts(FIRST, 2 * number + 2)
    broken = b"not JSON\n"
    codex.write(FIRST, broken + said("user", "behind"))
    body += broken + said("user", "behind")
    texts = [f"{state} {number}" for number in range(3) for state in ("up", "down")]
    assert await codex.texts(FIRST, 7) == [*texts, "behind"]
    (spoilt,) = await daemon.items("/api/quarantine")
    assert spoilt["conversationId"] == FIRST

    codex.rollout(FIRST).unlink()
    await eventually(_is(daemon, "fileDeletedAt"), "mark of a deleted file")
    await ccod(daemon, "restore", FIRST, "--to", str(tmp_path / "back"))
    (restored,) = (tmp_path / "back").rglob("*.jsonl")
    assert restored.read_bytes() == body
    await ccod(daemon, "forget", FIRST, "--yes")
    assert await daemon.items("/api/conversations") == []


def _is(daemon: Daemon, name: str) -> Callable[[], Any]:
    async def found() -> Any:
        return (await daemon.get(f"/api/conversations/{FIRST}"))["data"][name]

    return found
