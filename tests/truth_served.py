"""What a running daemon tells of real transcripts: the figures of `tests.truth` by the analytics of the API."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from ccod.testing.waiting import eventually
from tests.e2e.daemon import Daemon, open_daemon
from tests.real import DATA
from tests.truth import Figures, truths

LONG_AGO = (1_700_000_000, 1_700_000_000)
PATIENCE = 60
ROUNDED = 0.000_001_000_001
"""Dollars are rounded to millionths here and there."""


def session(truth: Figures) -> str:
    """Return the conversation that a file becomes: one of its own, for the files overlap."""
    return str(uuid5(NAMESPACE_URL, truth["file"]))


def lay_out(root: Path) -> dict[str, Path]:
    """Copy every transcript below `root`, last written to long ago; return them by conversation."""
    laid: dict[str, Path] = {}
    for truth in truths():
        key = session(truth)
        folder = root / key
        folder.mkdir(parents=True)
        laid[key] = folder / f"{key}.jsonl"
        laid[key].write_bytes((DATA / truth["file"]).read_bytes())
        os.utime(laid[key], LONG_AGO)
    return laid


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[Daemon]:
    """Run a daemon that has read every transcript."""
    async with open_daemon(folder, {"http": {"socket": str(folder / "s" / "ccod.sock")}}, start=False) as daemon:
        lay_out(daemon.home.root)
        await daemon.start()

        async def has_read_all() -> bool:
            progress = (await daemon.get("/health"))["data"]["details"]["backfill"]
            return bool(progress["done"] >= progress["total"] > 0)

        await eventually(has_read_all, "end of the backfill", PATIENCE)
        yield daemon


async def served(folder: Path) -> list[Figures]:
    """Return what a daemon tells of each file, in the order of the truth."""
    async with serving(folder) as daemon:
        return [await told(daemon, session(truth)) for truth in truths()]


async def told(daemon: Daemon, key: str) -> Figures:
    """Return what the API tells of a conversation, by the names of the truth."""
    conversation = (await daemon.get(f"/api/conversations/{key}"))["data"]
    found = (await daemon.get(f"/api/conversations/{key}/analytics"))["data"]
    explained = (await daemon.get(f"/api/conversations/{key}/usage"))["data"]["responses"]
    tools, usage = found["tools"], found["totalUsage"]
    assert found["usage"] == usage, "these transcripts have no subagents of their own"
    return {
        "user_messages": found["messages"]["user"],
        "assistant_messages": found["messages"]["assistant"],
        "responses": sum(model["responseCount"] for model in found["models"]),
        "models": {model["model"]: model["responseCount"] for model in found["models"]},
        "times": {"first": ms(conversation["createdAt"]), "last": ms(conversation["updatedAt"])} if explained else {},
        "tokens": tokens(usage, explained),
        "tokens_by_model": {
            model["model"]: tokens(model, [each for each in explained if each["model"] == model["model"]])
            for model in found["models"]
        },
        "tool_uses": tools["count"],
        "tool_uses_by_name": {tool["name"]: tool["count"] for tool in tools["byName"]},
        "tool_errors": found["errors"]["tools"],
        "unanswered_tool_uses": tools["pendingCount"],
        "usd": usage["costUsdMicros"] / 1e6 if usage["costUsdMicros"] is not None else 0,
        "unpriced": found["unpriced"],
    }


def ms(time: str) -> int:
    return round(datetime.fromisoformat(time).timestamp() * 1000)


def tokens(usage: dict[str, int], responses: Iterable[dict[str, Any]]) -> dict[str, int]:
    """Return the counts of `usage`, and what `responses` were charged for that it does not tell apart."""
    charged = Counter[str]()
    for response in responses:
        charged.update({charge["what"]: charge["count"] for charge in response["charges"]})
    return {
        "input_tokens": usage["inputTokens"],
        "output_tokens": usage["outputTokens"],
        "cache_creation_input_tokens": usage["cacheCreationTokens"],
        "cache_read_input_tokens": usage["cacheReadTokens"],
        "ephemeral_5m": charged["cache write 5m"],
        "ephemeral_1h": charged["cache write 1h"],
        "web_search_requests": charged["web search"],
        "total": usage["totalTokens"],
    }
