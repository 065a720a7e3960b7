"""Real transcripts give the numbers that a program without any code of ours counted in them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import msgspec
import pytest
import trio

from tests.e2e.daemon import Daemon, open_daemon
from tests.e2e.database import opened
from tests.e2e.home import Home
from tests.real import ABSENT, DATA

SETTLE_SECONDS = 90.0

if not (DATA / "truth.json").is_file():
    pytest.skip(ABSENT, allow_module_level=True)


COSTS = DATA / "truth-cost.json"


class Costs(msgspec.Struct):
    file: str
    usd_genai: float


class Tokens(msgspec.Struct):
    input_tokens: int
    output_tokens: int
    cache_creation_input_tokens: int
    cache_read_input_tokens: int


class Truth(msgspec.Struct):
    """What was counted in one file. Successive copies of one growing file share a session, shortest first."""

    file: str
    records: int
    sessionIds: dict[str, int]  # noqa: N815
    user_messages: int
    assistant_messages: int
    responses: int
    models: dict[str, int]
    tool_uses: int
    tool_uses_by_name: dict[str, int]
    tokens: Tokens

    @property
    def session(self) -> str:
        if "/chain-" in self.file and self.sessionIds:
            return max(self.sessionIds, key=lambda session: self.sessionIds[session])
        return str(uuid5(NAMESPACE_URL, self.file))

    @property
    def body(self) -> bytes:
        return (DATA / self.file).read_bytes()


def generations() -> Iterator[dict[str, Truth]]:
    """Every session with its shortest copy, then those that grew with the next, and so on."""
    truths = msgspec.json.decode((DATA / "truth.json").read_bytes(), type=list[Truth])
    waiting = sorted(truths, key=lambda truth: truth.records)
    while waiting:
        generation: dict[str, Truth] = {}
        waiting = [truth for truth in waiting if generation.setdefault(truth.session, truth) is not truth]
        yield generation


def grow(root: Path, truth: Truth) -> None:
    """Append to a transcript what is new in this copy of it."""
    path = root / uuid5(NAMESPACE_URL, truth.session).hex / f"{truth.session}.jsonl"
    path.parent.mkdir(exist_ok=True)
    with path.open("ab") as file:
        known = file.tell()
        assert truth.body.startswith(path.read_bytes())
        file.write(truth.body[known:])


def expected(truth: Truth) -> dict[str, int]:
    return {
        "records": truth.records,
        "userMessageCount": truth.user_messages,
        "assistantMessageCount": truth.assistant_messages,
        "responseCount": truth.responses,
        "toolUsageCount": truth.tool_uses,
        "inputTokens": truth.tokens.input_tokens,
        "outputTokens": truth.tokens.output_tokens,
        "cacheCreationTokens": truth.tokens.cache_creation_input_tokens,
        "cacheReadTokens": truth.tokens.cache_read_input_tokens,
    }


def records(home: Home) -> dict[str, int]:
    """Count the stored records of each transcript."""
    query = "SELECT s.path, count(*) FROM entries e JOIN streams s ON s.id = e.stream_id GROUP BY s.path"
    with opened(home) as connection:
        return {Path(path).stem: count for path, count in connection.execute(query)}


async def numbers(daemon: Daemon, like: dict[str, dict[str, int]]) -> dict[str, dict[str, int]]:
    """Return what is stored, in the shape of what is expected."""
    counts = records(daemon.home)
    stored: dict[str, Any] = {
        found["id"]: found | found["usage"] | {"records": counts.get(found["id"], 0)}
        for found in await daemon.items("/api/conversations")
    }
    return {
        session: {name: stored[session][name] for name in names} for session, names in like.items() if session in stored
    }


async def assert_analytics(daemon: Daemon, truth: dict[str, Truth]) -> None:
    """Compare what analytics tell of each session; costs to the millionth, which halves round to either side."""
    costs = {item.file: item.usd_genai for item in msgspec.json.decode(COSTS.read_bytes(), type=list[Costs])}
    for session, known in truth.items():
        told = (await daemon.get(f"/api/conversations/{session}/analytics"))["data"]
        assert abs(told["usage"]["costUsd"] - costs[known.file]) < 0.000_001_5, known.file
        assert told["usage"] == told["totalUsage"]
        assert told["unpriced"] == 0
        assert {model["model"]: model["responseCount"] for model in told["models"]} == known.models
        assert {tool["name"]: tool["count"] for tool in told["tools"]["byName"]} == known.tool_uses_by_name


async def test_every_transcript_has_the_numbers_that_were_counted_in_it(tmp_path: Path) -> None:
    truth: dict[str, Truth] = {}
    async with open_daemon(tmp_path) as daemon:
        for generation in generations():
            truth |= generation
            for grown in generation.values():
                grow(daemon.home.root, grown)
            right = {session: expected(known) for session, known in truth.items()}
            found: dict[str, dict[str, int]] = {}
            with trio.move_on_after(SETTLE_SECONDS):
                while found != right:
                    await trio.sleep(0.05)
                    found = await numbers(daemon, right)
            assert {s: found.get(s) for s in right if found.get(s) != right[s]} == {}, daemon.report()
        await assert_analytics(daemon, truth)
    assert len(truth) > 10
