"""Feeds the bytes of transcripts to a storage as a source would, with the real parser."""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from ccod import Batch, Checkpoint, Entry, Parser, Storage, Stream, Unparsed
from ccod_claude.parser import ClaudeParser
from ccod_jsonl.reading import Position, read_records

SOURCE = "tests"
START = Position()
PARSERS: Mapping[str, Parser] = {"claude": ClaudeParser()}
UNLIKE = {
    "entries": ("id", "response_id"),
    "tool_calls": ("use_entry_id", "result_entry_id"),
    "responses": ("id",),
    "quarantine": ("id",),
    "blocks": ("id",),
}
"""Numbers that depend on the order in which rows were written."""


def stream(conversation: str = "c1", agent: str | None = None, key: str = "") -> Stream:
    name = key or f"/p/{conversation}{f'/subagents/agent-{agent}' if agent else ''}.jsonl"
    return Stream(name, "claude", name.partition("#")[0], conversation, agent)


async def feed(storage: Storage, of: Stream, data: bytes, position: Position = START, most: int = 1 << 24) -> Position:
    """Send what follows `position` in `data`, and return where reading stands then."""
    while True:
        records, position = read_records(lambda at, size: data[at : at + size], position, most)
        if not records:
            return position
        parsed: list[Entry | Unparsed] = []
        for record in records:
            if record.piece == 0:
                parsed.extend(PARSERS["claude"].parse(of, record))
            elif record.piece == 1:
                parsed.append(Unparsed(record.offset, len(record.body), "line too long"))
        checkpoint = Checkpoint(position.offset)
        await storage.append(SOURCE, Batch(of, records, checkpoint, size=len(data)), parsed)


def transcript(lines: int, seed: int = 0, *, conversation: str = "c1", canary: str = "") -> bytes:
    """Make up a transcript: prompts, answers with tools, a broken line, a copied line, a title, an unknown type."""
    made = random.Random(seed)
    written: list[bytes] = []
    for number in range(lines):
        if number % 7 == 5:
            written.append(b'{"type":"user","uuid":"cut\n')
        elif number % 7 == 6:
            written.append(written[number - 6])
        else:
            written.append(json.dumps(_line(number, made, conversation, canary)).encode() + b"\n")
    return b"".join(written)


def _line(number: int, made: random.Random, conversation: str, canary: str) -> dict[str, Any]:
    line: dict[str, Any] = {
        "uuid": f"{conversation}-{number}",
        "timestamp": f"2026-01-02T03:{number // 60 % 60:02}:{number % 60:02}.000Z",
        "sessionId": conversation,
        "cwd": "/home/u/shop",
        "version": f"2.1.{number % 3}",
    }
    text = f"{canary} {made.randbytes(made.randrange(200)).hex()}"
    match number % 7:
        case 0 | 3:
            return {**line, "type": "user", "message": {"role": "user", "content": text}}
        case 1 | 2:
            usage = {"input_tokens": 5, "output_tokens": number, "cache_read_input_tokens": 7}
            content = [{"type": "tool_use", "id": f"t{number}", "name": "Bash", "input": {"command": text}}]
            said = {"id": f"m{number // 14}", "model": "claude-sonnet-4-5", "usage": usage, "content": content}
            return {**line, "type": "assistant", "requestId": f"r{number // 14}", "message": said}
        case _:
            return made.choice(
                [
                    {"type": "ai-title", "aiTitle": f"Title {number} {canary}", "sessionId": conversation},
                    {**line, "type": "novelty", "payload": text},
                ]
            )


def dump(database: Path, *tables: str) -> dict[str, list[str]]:
    """Return all rows of some tables as text, without the numbers that say nothing."""
    with closing(sqlite3.connect(database)) as connection:
        connection.row_factory = sqlite3.Row
        return {
            table: sorted(
                str([(key, row[key]) for key in sorted(row.keys()) if key not in UNLIKE.get(table, ())])
                for row in connection.execute(f"SELECT * FROM {table}")
            )
            for table in tables
        }


def cuts(size: int, made: random.Random) -> Iterator[int]:
    """Yield growing sizes of a file that is written in pieces, the last its whole size."""
    at = 0
    while at < size:
        at = min(size, at + made.randrange(1, 3000))
        yield at
