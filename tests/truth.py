"""Store real transcripts and compare every figure with what another program counted.

Each file is a conversation of its own in one database, for the files overlap.
"""

from __future__ import annotations

import argparse
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import msgspec
import trio

from ccod import Batch, Checkpoint, Record, Storage, StoredStream, Stream, Totals, Usage
from ccod_claude.parser import ClaudeParser
from ccod_prices.settings import PricesSettings
from ccod_prices.table import PriceTable
from ccod_sql.settings import SqliteSettings
from ccod_sql.storage import SqlStorage
from tests.real import ABSENT, DATA

PARSER = ClaudeParser()
PRICES = PriceTable(PricesSettings())
BATCH = 200
Figures = dict[str, Any]
HALF_A_MICRO = 0.000_000_500_001
"""Dollars are told in whole millionths, halves rounded either way; all else is whole numbers."""

COUNTS = {
    "records": "SELECT count(*) FROM entries WHERE conversation_id = ?",
    "malformed": "SELECT count(*) FROM quarantine JOIN streams s ON s.id = stream_id WHERE s.conversation_id = ?",
    "duplicate_uuid_lines": "SELECT sum(duplicate) FROM entries WHERE conversation_id = ?",
    "tool_results": "SELECT count(result_entry_id) FROM tool_calls WHERE conversation_id = ?",
    "orphan_results": "SELECT count(*) FROM tool_calls WHERE use_entry_id IS NULL AND conversation_id = ?",
}
TYPES = "SELECT type, count(*) FROM entries WHERE conversation_id = ? GROUP BY type"
SUBTYPES = "SELECT subtype, count(*) FROM entries WHERE conversation_id = ? AND type = 'system' GROUP BY subtype"
VERSIONS = "SELECT DISTINCT version, 1 FROM record_types WHERE conversation_id = ? AND version <> ''"


def truths() -> list[Figures]:
    """Return what was counted in each file, its cost with it; nothing where the data is not there."""
    if not (DATA / "truth.json").is_file():
        return []
    costs = {item["file"]: item["usd_genai"] for item in _read("truth-cost.json")}
    return [truth | {"usd": costs[truth["file"]], **_comparable(truth)} for truth in _read("truth.json")]


def _comparable(truth: Figures) -> Figures:
    """Return lists of facts as the numbers that `differences` compares."""
    stated = [datetime.fromisoformat(truth[name]) for name in ("first_ts", "last_ts") if truth[name]]
    times = [round(time.timestamp() * 1000) for time in stated]
    return {"versions": dict.fromkeys(truth["versions"], 1), "times": dict(zip(("first", "last"), times, strict=False))}


def _read(name: str) -> list[Figures]:
    found: list[Figures] = msgspec.json.decode((DATA / name).read_bytes())
    return found


def open_storage(database: Path) -> SqlStorage:
    return SqlStorage(SqliteSettings(path=str(database)), "machine", PRICES)


async def store(storage: Storage, truth: Figures) -> str:
    """Store a file as a source would; return its conversation."""
    key = str(uuid5(NAMESPACE_URL, truth["file"]))
    stream = Stream(key, "claude", truth["file"], key)
    records, offset = [], 0
    for line in (DATA / truth["file"]).read_bytes().removesuffix(b"\n").split(b"\n"):
        records.append(Record(offset, line + b"\n"))
        offset += len(line) + 1
    for start in range(0, len(records), BATCH):
        some = records[start : start + BATCH]
        parsed = [entry for record in some for entry in PARSER.parse(stream, record)]
        checkpoint = Checkpoint(some[-1].offset + len(some[-1].body))
        await storage.append("claude", Batch(stream, some, checkpoint, history=True), parsed)
    return key


async def figures(storage: Storage, database: Path, key: str) -> Figures:
    """Return what is stored of a conversation, by the names of the truth."""
    (conversation,) = await storage.conversations_by_id([key])
    activity = await storage.activity(key)
    by_model = await storage.total_usage(key)
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        (id_,) = connection.execute("SELECT id FROM conversations WHERE key = ?", [key]).fetchone()
        counts = {name: connection.execute(sql, [id_]).fetchone()[0] or 0 for name, sql in COUNTS.items()}
        types, subtypes, versions = (
            dict(connection.execute(sql, [id_]).fetchall()) for sql in (TYPES, SUBTYPES, VERSIONS)
        )
    (stream,) = await storage.streams(key)
    return counts | {
        "physical_lines": len((await archived(storage, stream)).removesuffix(b"\n").split(b"\n")),
        "types": types,
        "system_subtypes": subtypes,
        "versions": versions,
        "times": {"first": conversation.created_at, "last": conversation.updated_at}
        if conversation.message_count
        else {},
        "user_messages": conversation.user_message_count,
        "assistant_messages": conversation.assistant_message_count,
        "responses": conversation.response_count,
        "models": {model: totals.response_count for model, totals in by_model.items()},
        "tokens": tokens(conversation.usage),
        "tokens_by_model": {model: tokens(totals.usage) for model, totals in by_model.items()},
        "tool_uses": activity.all_tools.count,
        "tool_uses_by_name": {tool.name: tool.count for tool in activity.tools},
        "tool_errors": conversation.tool_error_count,
        "unanswered_tool_uses": activity.all_tools.pending_count,
        "usd": conversation.cost_nanos / 1e9,
        "unpriced": sum(by_model.values(), Totals()).unpriced_count,
    }


async def archived(storage: Storage, stream: StoredStream) -> bytes:
    """Return all bytes of a stream."""
    body = b""
    while len(body) < stream.size:
        body += await storage.bytes_of(stream.id, len(body))
    return body


def tokens(usage: Usage) -> dict[str, int]:
    return {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cache_creation_input_tokens": usage.cache_creation_tokens,
        "cache_read_input_tokens": usage.cache_read_tokens,
        "ephemeral_5m": usage.cache_creation_5m_tokens,
        "ephemeral_1h": usage.cache_creation_1h_tokens,
        "web_search_requests": usage.web_search_requests,
        "total": usage.total_tokens,
    }


def differences(truth: Figures, found: Figures, path: str = "", within: float = HALF_A_MICRO) -> Iterator[str]:
    """Yield each figure that is not as it should be. What the truth does not say should be nothing."""
    for name, value in found.items():
        right = truth.get(name, 0)
        if isinstance(value, dict):
            yield from differences(right or {}, dict.fromkeys(right or (), 0) | value, f"{path}{name}.", within)
        elif abs(value - right) > within:
            yield f"{path}{name}: {value}, not {right}"


async def stored(folder: Path) -> list[Figures]:
    """Return what is stored of each file, in the order of the truth."""
    database = folder / "truth.db"
    async with open_storage(database) as storage:
        return [await figures(storage, database, await store(storage, truth)) for truth in truths()]


def show(all_found: Sequence[Figures], within: float) -> bool:
    """Print a line for each file, and what is wrong with it; return whether something is."""
    wrong = False
    print(f"{'messages':>8}{'responses':>10}{'tokens':>13}{'tools':>6}{'dollars':>11}  file")
    for truth, found in zip(truths(), all_found, strict=True):
        messages = found["user_messages"] + found["assistant_messages"]
        print(
            f"{messages:>8}{found['responses']:>10}{found['tokens']['total']:>13,}"
            f"{found['tool_uses']:>6}{found['usd']:>11.6f}  {truth['file']}"
        )
        for difference in differences(truth, found, within=within):
            wrong = True
            print(f"    WRONG {difference}")
    return wrong


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.truth", description=__doc__)
    parser.add_argument("--api", action="store_true", help="compare what a running daemon tells by its API")
    arguments = parser.parse_args()
    if not truths():
        sys.exit(ABSENT)
    with TemporaryDirectory() as folder:
        if arguments.api:
            from tests.truth_served import ROUNDED, served

            wrong = show(trio.run(served, Path(folder)), ROUNDED)
        else:
            wrong = show(trio.run(stored, Path(folder)), HALF_A_MICRO)
    sys.exit(wrong)


if __name__ == "__main__":
    main()
