"""The floor under an ingest: the same libraries and rows of the same kind, and nothing of ccod.

    python -m tests.bench.floor ROOT DATABASE

It reads lines, decodes them with types, writes rows in one transaction for each chunk and keeps the bytes packed.
It recovers from nothing, watches nothing and serves nobody. It prints what it took as JSON.
"""

from __future__ import annotations

import resource
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import zstandard
from msgspec import Raw, Struct

CHUNK = 1 << 20
SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
PRAGMA cache_size = -65536;
CREATE TABLE streams (id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, position INTEGER NOT NULL);
CREATE TABLE entries (
    id INTEGER PRIMARY KEY, stream_id INTEGER NOT NULL, start INTEGER NOT NULL, length INTEGER NOT NULL,
    conversation_id INTEGER NOT NULL, agent TEXT NOT NULL, type TEXT NOT NULL, subtype TEXT NOT NULL, uuid TEXT,
    parent TEXT, at INTEGER NOT NULL, role TEXT, sidechain BOOLEAN NOT NULL, meta BOOLEAN NOT NULL,
    duplicate BOOLEAN NOT NULL, response_id INTEGER, UNIQUE (stream_id, start));
CREATE INDEX entries_uuid ON entries (conversation_id, uuid);
CREATE INDEX entries_messages ON entries (conversation_id, agent, at, id, role) WHERE role IS NOT NULL;
CREATE TABLE responses (
    id INTEGER PRIMARY KEY, conversation_id INTEGER NOT NULL, agent TEXT NOT NULL, message_id TEXT NOT NULL,
    request_id TEXT NOT NULL, model TEXT NOT NULL, at INTEGER NOT NULL, input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL, cache_creation_tokens INTEGER NOT NULL, cache_read_tokens INTEGER NOT NULL,
    UNIQUE (conversation_id, agent, message_id, request_id));
CREATE TABLE tool_calls (
    conversation_id INTEGER NOT NULL, agent TEXT NOT NULL, tool_use_id TEXT NOT NULL, name TEXT NOT NULL,
    use_entry_id INTEGER, result_entry_id INTEGER, is_error BOOLEAN NOT NULL,
    PRIMARY KEY (conversation_id, agent, tool_use_id));
CREATE INDEX tool_calls_use ON tool_calls (use_entry_id);
CREATE TABLE blocks (
    id INTEGER PRIMARY KEY, stream_id INTEGER NOT NULL, start INTEGER NOT NULL, length INTEGER NOT NULL,
    data BLOB NOT NULL, UNIQUE (stream_id, start));
"""
ENTRY = f"INSERT INTO entries VALUES ({','.join('?' * 16)})"
RESPONSE = f"INSERT OR REPLACE INTO responses VALUES ({','.join('?' * 11)})"
CALL = f"INSERT OR REPLACE INTO tool_calls VALUES ({','.join('?' * 7)})"
BLOCK = "INSERT INTO blocks (stream_id, start, length, data) VALUES (?, ?, ?, ?)"
STREAM = "INSERT OR REPLACE INTO streams VALUES (?, ?, ?)"


class Usage(Struct, gc=False):
    input_tokens: int = 0
    output_tokens: int = 0
    cache_creation_input_tokens: int = 0
    cache_read_input_tokens: int = 0


class Text(Struct, tag="text", gc=False):
    text: Raw


class Thinking(Struct, tag="thinking", gc=False):
    thinking: Raw


class ToolUse(Struct, tag="tool_use", gc=False):
    id: str
    name: str


class ToolResult(Struct, tag="tool_result", gc=False):
    tool_use_id: str
    is_error: bool = False


class Message(Struct):
    role: str
    id: str | None = None
    model: str | None = None
    usage: Usage | None = None
    content: str | list[Text | Thinking | ToolUse | ToolResult] = ""


class Line(Struct):
    type: str
    subtype: str = ""
    uuid: str | None = None
    parentUuid: str | None = None  # noqa: N815
    timestamp: str | None = None
    isSidechain: bool = False  # noqa: N815
    isMeta: bool = False  # noqa: N815
    requestId: str | None = None  # noqa: N815
    cwd: str | None = None
    version: str | None = None
    gitBranch: str | None = None  # noqa: N815
    message: Message | None = None


class Rows(Struct):
    """What one chunk gives."""

    entries: list[tuple[Any, ...]] = []
    responses: dict[int, tuple[Any, ...]] = {}
    calls: dict[str, tuple[Any, ...]] = {}


class File:
    """One transcript: turns its lines into rows."""

    def __init__(self, stream: int, path: Path, entries: int, responses: int) -> None:
        self.stream = stream
        self.path = path
        self.entries = entries
        self._before = responses
        self._responses: dict[tuple[str, str], int] = {}
        self._calls: dict[str, tuple[Any, ...]] = {}
        self._at = 0

    @property
    def responses(self) -> int:
        return self._before + len(self._responses)

    def add(self, rows: Rows, line: Line, offset: int, length: int) -> None:
        self.entries += 1
        if line.timestamp:
            self._at = int(datetime.fromisoformat(line.timestamp).timestamp() * 1000)
        message = line.message
        response = self._response(rows, line, message) if message and message.usage else None
        if message and isinstance(message.content, list):
            self._blocks(rows, message.content)
        place = (self.entries, self.stream, offset, length, self.stream, "")
        what = (line.type, line.subtype, line.uuid, line.parentUuid, self._at, message.role if message else None)
        rows.entries.append((*place, *what, line.isSidechain, line.isMeta, False, response))

    def _response(self, rows: Rows, line: Line, message: Message) -> int:
        usage = message.usage
        assert usage is not None
        key = (message.id or "", line.requestId or "")
        number = self._responses.setdefault(key, self.responses + 1)
        rows.responses[number] = (
            number,
            self.stream,
            "",
            *key,
            message.model,
            self._at,
            usage.input_tokens,
            usage.output_tokens,
            usage.cache_creation_input_tokens,
            usage.cache_read_input_tokens,
        )
        return number

    def _blocks(self, rows: Rows, blocks: list[Text | Thinking | ToolUse | ToolResult]) -> None:
        for block in blocks:
            if isinstance(block, ToolUse):
                call: tuple[Any, ...] = (self.stream, "", block.id, block.name, self.entries, None, False)
            elif isinstance(block, ToolResult) and block.tool_use_id in self._calls:
                call = (*self._calls[block.tool_use_id][:5], self.entries, block.is_error)
            else:
                continue
            self._calls[call[2]] = rows.calls[call[2]] = call


def ingest(root: Path, database: Path) -> int:
    """Store every line below `root` and return how many there are."""
    decode = msgspec.json.Decoder(Line).decode
    entries = responses = 0
    with closing(sqlite3.connect(database)) as connection:
        connection.executescript(SCHEMA)
        for stream, path in enumerate(sorted(root.rglob("*.jsonl")), 1):
            file = File(stream, path, entries, responses)
            for start, chunk in _chunks(path):
                rows = Rows()
                offset = start
                for body in chunk:
                    file.add(rows, decode(body), offset, len(body))
                    offset += len(body)
                _store(connection, file, rows, start, b"".join(chunk))
            entries, responses = file.entries, file.responses
    return entries


def _store(connection: sqlite3.Connection, file: File, rows: Rows, start: int, data: bytes) -> None:
    with connection:
        connection.executemany(ENTRY, rows.entries)
        connection.executemany(RESPONSE, rows.responses.values())
        connection.executemany(CALL, rows.calls.values())
        connection.execute(BLOCK, (file.stream, start, len(data), zstandard.compress(data, 3)))
        connection.execute(STREAM, (file.stream, str(file.path), start + len(data)))


def _chunks(path: Path) -> Iterator[tuple[int, list[bytes]]]:
    start = 0
    with path.open("rb") as file:
        while chunk := file.readlines(CHUNK):
            yield start, chunk
            start += sum(map(len, chunk))


def main() -> None:
    root, database = map(Path, sys.argv[1:])
    began = time.perf_counter()
    lines = ingest(root, database)
    seconds = time.perf_counter() - began
    used = resource.getrusage(resource.RUSAGE_SELF)
    took = {"seconds": seconds, "cpu": used.ru_utime + used.ru_stime, "peak_rss": used.ru_maxrss * 1024}
    print(msgspec.json.encode(took | {"lines": lines}).decode())


if __name__ == "__main__":
    main()
