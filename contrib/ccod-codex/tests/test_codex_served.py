"""Codex's sessions in the API of a real daemon, beside one of Claude Code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import trio

from tests.e2e.daemon import Daemon, open_daemon
from tests.e2e.home import Tables

THREAD, FORK = "019a2d7a-41c4-78b1-b7cc-a45d62a89cd5", "019a2d7b-0000-7000-8000-000000000001"
TOKENS = ("input_tokens", "cached_input_tokens", "output_tokens", "reasoning_output_tokens")
FIRST, SECOND, THIRD = (1000, 0, 50, 20), (1200, 800, 100, 0), (2000, 1500, 10, 0)
PRICE = {"input": 1.25, "output": 10.0, "cache_read": 0.125}


def line(second: int, kind: str, **payload: Any) -> bytes:
    stamp = f"2026-01-02T10:00:{second:02}.000Z"
    return json.dumps({"timestamp": stamp, "type": kind, "payload": payload}).encode() + b"\n"


def token_count(second: int, *responses: tuple[int, ...]) -> bytes:
    total = dict(zip(TOKENS, map(sum, zip(*responses, strict=True)), strict=True))
    info = {"total_token_usage": total, "last_token_usage": dict(zip(TOKENS, responses[-1], strict=True))}
    return line(second, "event_msg", type="token_count", info=info)


def said(second: int, role: str, text: str) -> bytes:
    return line(second, "response_item", type="message", role=role, content=[{"type": "text", "text": text}])


def turn(*, copied_at: int = 0) -> bytes:
    def at(second: int) -> int:
        return copied_at or second

    return b"".join(
        [
            line(at(1), "turn_context", model="gpt-5-codex", cwd="/home/ada/house"),
            said(at(1), "user", "<environment_context>…</environment_context>"),
            said(at(2), "user", "Build a house"),
            line(at(2), "event_msg", type="user_message", message="Build a house"),
            line(
                at(3), "response_item", type="function_call", name="shell", arguments='{"command":["ls"]}', call_id="c1"
            ),
            token_count(at(4), FIRST),
            token_count(at(4), FIRST),
            line(
                at(5),
                "response_item",
                type="function_call_output",
                call_id="c1",
                output="Exit code: 0\nOutput:\nbricks",
            ),
            said(at(6), "assistant", "Built."),
            token_count(at(7), FIRST, SECOND),
            line(at(8), "event_msg", type="task_complete", last_agent_message="Built."),
        ]
    )


def session(thread: str) -> bytes:
    return line(0, "session_meta", id=thread, cwd="/home/ada/house", cli_version="0.46.0", git={"branch": "main"})


async def until(daemon: Daemon, path: str, **wanted: Any) -> dict[str, Any]:
    """Return what stands at `path` once it is as `wanted`."""
    with trio.fail_after(20):
        while True:
            if await daemon.status(path) == 200:
                shown: dict[str, Any] = (await daemon.get(path))["data"]
                if all(shown[key] == value for key, value in wanted.items()):
                    return shown
            await trio.sleep(0.05)


async def test_a_second_agent_appears_in_the_same_api(tmp_path: Path) -> None:
    sessions = tmp_path / "codex" / "sessions"
    day = sessions / "2026" / "01" / "02"
    day.mkdir(parents=True)
    rollout = day / f"rollout-2026-01-02T10-00-00-{THREAD}.jsonl"
    rollout.write_bytes(session(THREAD) + turn())
    tables: Tables = {"codex": {"roots": [str(sessions)]}, "pricelist": {"models": {"gpt-5-codex": PRICE}}}
    async with open_daemon(tmp_path, tables, start=False) as daemon:
        transcript = daemon.home.root / "-work-house" / "6a1f4d4e-0b7e-4d57-9c1d-2f60f5f5a001.jsonl"
        transcript.parent.mkdir()
        transcript.write_text('{"type":"user","cwd":"/home/ada/house","uuid":"u","message":{"content":"hello"}}\n')
        await daemon.start()
        one = f"/api/conversations/{THREAD}"
        shown = await until(daemon, one, messageCount=5)
        assert (shown["title"], shown["projectName"], shown["cwd"]) == ("Build a house", "house", "/home/ada/house")
        (project,) = await daemon.items("/api/projects")
        assert project["conversationCount"] == 2, "both agents worked in one folder"
        assert {each["id"] for each in await daemon.items("/api/conversations")} == {THREAD, transcript.stem}

        usage = shown["usage"]
        assert (usage["inputTokens"], usage["cacheReadTokens"], usage["outputTokens"]) == (1400, 800, 150)
        micros = round(1400 * PRICE["input"] + 800 * PRICE["cache_read"] + 150 * PRICE["output"])
        assert (shown["costUsdMicros"], shown["model"]) == (micros, "gpt-5-codex")
        responses = (await daemon.get(f"{one}/usage"))["data"]["responses"]
        assert [each["model"] for each in responses] == ["gpt-5-codex"] * 2

        messages = await daemon.items(f"{one}/messages")
        assert [each["role"] for each in messages] == ["user", "user", "assistant", "user", "assistant"]
        (call,) = await daemon.items(f"{one}/tool-calls")
        assert (call["name"], call["status"], call["input"]) == ("shell", "success", {"command": ["ls"]})
        assert "bricks" in call["output"]
        assert (await daemon.get("/api/search?q=bricks"))["data"]

        # Live, in two writes; over a kill; and a fork, which begins with a copy of its parent.
        more = line(20, "turn_context", model="gpt-5-codex", cwd="/home/ada/house") + said(20, "user", "And a garden")
        with rollout.open("ab") as file:
            file.write(more[:-40])
        await daemon.restart()
        with rollout.open("ab") as file:
            file.write(more[-40:])
        await until(daemon, one, messageCount=6)
        copy = day / f"rollout-2026-01-02T10-00-30-{FORK}.jsonl"
        copy.write_bytes(session(FORK) + session(THREAD) + turn(copied_at=30) + token_count(31, FIRST, SECOND, THIRD))
        await until(daemon, f"/api/conversations/{FORK}", messageCount=5)
        (day_of_both,) = await daemon.items("/api/usage/daily")
        assert day_of_both["usage"]["outputTokens"] == 150 + 10 + FIRST[2], "all but a fork's copy of the first, once"
        assert await daemon.items("/api/quarantine") == []
