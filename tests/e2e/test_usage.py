"""Usage and its cost, from transcript files to REST and to `ccod usage`."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import trio

from ccod.testing.waiting import eventually, limit
from ccod_prices.settings import PricesSettings
from ccod_prices.table import PriceTable
from tests.e2e.daemon import CCOD, Daemon
from tests.e2e.lines import SESSION, line

FORK = "1b1e2f3a-4c5d-4e6f-8a9b-0c1d2e3f4a5b"
TOKENS = {"input_tokens": 1000, "output_tokens": 100, "cache_read_input_tokens": 10_000}
MICROS = 1000 * 3 + 100 * 15 + 3000


def answer(id_: str, minute: int, model: str = "claude-sonnet-4-5-20250929", **fields: Any) -> bytes:
    content = fields.pop("content", [{"type": "text", "text": id_}])
    usage = fields.pop("usage", TOKENS)
    message = {"id": id_, "role": "assistant", "model": model, "content": content, "usage": usage}
    return line("", type="assistant", message=message, requestId=f"req_{id_}", timestamp=clock(minute), **fields)


def clock(minute: int) -> str:
    return f"2026-06-01T{10 + minute // 60:02}:{minute % 60:02}:00.000Z"


def write_transcripts(root: Path) -> None:
    folder = root / "-home-dev-demo"
    calls = [{"type": "tool_use", "id": f"t{number}", "name": "Bash", "input": {}} for number in range(2)]
    own = line("do it", timestamp=clock(0)) + answer("m1", 1, usage=TOKENS | {"output_tokens": 1})
    own += answer("m1", 1, content=calls)
    for number, failed in enumerate((False, True)):
        result = {"type": "tool_result", "tool_use_id": f"t{number}", "content": "", "is_error": failed}
        own += line("", message={"role": "user", "content": [result]}, timestamp=clock(2 + 2 * number))
    own += answer("m2", 5, "who-knows-7") + answer("m3", 6, "<synthetic>", usage={}, isApiErrorMessage=True)
    subagent = answer("m4", 3, isSidechain=True, agentId="a1") + answer("m1", 1, isSidechain=True, agentId="a1")
    agents = folder / SESSION / "subagents"
    agents.mkdir(parents=True)
    (agents / "agent-a1.jsonl").write_bytes(subagent)
    (folder / f"{SESSION}.jsonl").write_bytes(own)
    (folder / f"{FORK}.jsonl").write_bytes(answer("m1", 1, session=FORK) + answer("m5", 12 * 60, session=FORK))


async def run(daemon: Daemon, *arguments: str) -> str:
    port = urlsplit(daemon.url).port
    with limit(20, "exit of ccod usage"):
        done = await trio.run_process(
            [str(CCOD), "--config", str(daemon.home.config), "--set", f"http.port={port}", "usage", *arguments],
            stdin=subprocess.DEVNULL,
            capture_stdout=True,
            env=daemon.home.environment,
        )
    return done.stdout.decode()


def costed(count: int, micros: int) -> dict[str, Any]:
    return {
        "inputTokens": 1000 * count,
        "outputTokens": 100 * count,
        "cacheCreationTokens": 0,
        "cacheReadTokens": 10_000 * count,
        "totalTokens": 11_100 * count,
        "costUsd": micros / 1e6,
        "costUsdMicros": micros,
    }


async def test_usage_is_told_and_explained(daemon: Daemon) -> None:
    write_transcripts(daemon.home.root)

    async def is_stored() -> bool:
        found = {each["id"]: each for each in await daemon.items("/api/conversations")}
        counts = {key: (each["responseCount"], each["subagentCount"]) for key, each in found.items()}
        if counts != {SESSION: (3, 1), FORK: (2, 0)}:
            return False
        assert (found[SESSION]["costUsd"], found[SESSION]["costUsdMicros"]) == (MICROS / 1e6, MICROS)
        data = (await daemon.get(f"/api/conversations/{SESSION}/usage"))["data"]
        return len(data["responses"]) == 5

    await eventually(is_stored, "the transcripts in the storage")
    analytics = (await daemon.get(f"/api/conversations/{SESSION}/analytics"))["data"]
    tools = {"count": 2, "errorCount": 1, "pendingCount": 0, "successRate": 0.5}
    tools |= {"p50DurationMs": 60_000, "p95DurationMs": 180_000}
    assert analytics == {
        "messages": {"total": 7, "user": 3, "assistant": 4},
        "turns": 1,
        "tools": tools | {"byName": [tools | {"name": "Bash"}]},
        "usage": costed(2, MICROS),
        "totalUsage": costed(3, 2 * MICROS),
        "models": [
            costed(2, 2 * MICROS) | {"model": "claude-sonnet-4-5-20250929", "responseCount": 2, "unpricedCount": 0},
            costed(1, 0)
            | {"model": "who-knows-7", "responseCount": 1, "unpricedCount": 1, "costUsd": None, "costUsdMicros": None},
            costed(0, 0) | {"model": "<synthetic>", "responseCount": 1, "unpricedCount": 0},
        ],
        "durationSeconds": 360.0,
        "responseTimes": {"averageMs": 60_000, "p50Ms": 60_000, "p95Ms": 60_000},
        "errors": {"api": 1, "tools": 1},
        "unpriced": 1,
        "plugins": {"pricelist": {"version": PriceTable(PricesSettings()).version, "unpricedModels": ["who-knows-7"]}},
    }

    explained = json.loads(await run(daemon, "explain", SESSION, "--json"))
    assert explained["schemaVersion"] == 1
    responses = {(each["messageId"], each["agentId"]): each for each in explained["explained"]["responses"]}
    assert {key: each["notes"] for key, each in responses.items()} == {
        ("m1", None): ["repeatedLines"],
        ("m1", "a1"): ["subagent", "copyWithin"],
        ("m4", "a1"): ["subagent"],
        ("m2", None): ["unpriced"],
        ("m3", None): ["notice"],
    }
    assert responses["m1", None]["charges"] == [
        {"what": "input", "count": 1000, "nanos": 3000},
        {"what": "output", "count": 100, "nanos": 15000},
        {"what": "cache read", "count": 10_000, "nanos": 300},
    ]
    fork = (await daemon.get(f"/api/conversations/{FORK}/usage"))["data"]["responses"]
    assert [(each["counted"], each["owner"], each["notes"]) for each in fork] == [
        (False, SESSION, ["ownedByOther"]),
        (True, FORK, []),
    ]
    text = await run(daemon, "explain", FORK)
    assert f"a copy: counted in conversation {SESSION}" in text
    assert "input                  1,000 x $0.000003000 = $0.003000000" in text
    assert "$0.015000" in text

    blocks = (await daemon.get("/api/usage/blocks"))["data"]
    assert [(each["startTime"][11:16], each["isGap"], each["responseCount"]) for each in blocks] == [
        ("10:00", False, 4),
        ("15:00", True, 0),
        ("22:00", False, 1),
    ]
    assert blocks[0]["usage"] == costed(3, 2 * MICROS)
    since = (await daemon.get("/api/usage/blocks?startDate=2026-06-01T14:59:00Z"))["data"]
    assert since == blocks
    later = json.loads(await run(daemon, "blocks", "--since", "2026-06-01T16:00:00Z", "--json"))
    assert later["blocks"] == blocks[-1:]
    assert len((await run(daemon, "blocks")).splitlines()) == 3
