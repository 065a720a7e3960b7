"""Source, parser, pipeline and storage over real files, and what must be true of them once nothing moves any more."""

# ruff: noqa: ASYNC240 - what a test does to small local files takes no time

from __future__ import annotations

import json
import re
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

import msgspec
import trio

from ccod import (
    Batch,
    Bus,
    CalledTool,
    Checkpoint,
    Conversation,
    Health,
    Message,
    MessageQuery,
    Record,
    Storage,
    StoredStream,
    Stream,
    ToolCallQuery,
)
from ccod.pipeline import Pipeline
from ccod_claude.parser import ClaudeParser
from ccod_claude.settings import ClaudeSettings
from ccod_claude.source import ClaudeSource
from ccod_sql.settings import SqliteSettings
from ccod_sql.storage import SqlStorage
from tests.faults.kills import Wreck
from tests.plugins.claude.claude_house import whole_records
from tests.prices import PRICES

PATIENCE = 20
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
PARSERS = {"claude": ClaudeParser()}
SESSION = "6a1f4d4e-0b7e-4d57-9c1d-2f60f5f5a001"
OTHER = "6a1f4d4e-0b7e-4d57-9c1d-2f60f5f5a002"
PASSING = {"file_path", "file_deleted_at", "file_rewritten_at", "state_since"}
GOING_BACK = """
    SELECT 1 FROM entries e JOIN conversations c ON c.id = e.conversation_id
    JOIN entries earlier ON earlier.conversation_id = c.id AND earlier.id < e.id AND earlier.stream_id > e.stream_id
    WHERE c.key = ? LIMIT 1
"""


@cache
def empty_database() -> bytes:
    """Return a database with tables and no rows: copying it is much faster than making it."""

    async def make(path: Path) -> bytes:
        async with SqlStorage(SqliteSettings(path=str(path)), "machine", PRICES):
            pass
        return path.read_bytes()

    with TemporaryDirectory() as folder:
        return trio.run(make, Path(folder) / "empty.db")


@asynccontextmanager
async def open_storage(path: Path) -> AsyncIterator[SqlStorage]:
    if not path.exists():
        path.write_bytes(await trio.to_thread.run_sync(empty_database))
    async with SqlStorage(SqliteSettings(path=str(path)), "machine", PRICES, parsers=PARSERS) as storage:
        yield storage


class House:
    """A folder of transcripts and the database that follows it. `written` are all messages that ever stood there.

    It `is_redated` where times of files were set: what is history, and so its state, depends then on when it is read.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder / "projects"
        self.project = self.root / "-home-me"
        self.file = self.project / f"{SESSION}.jsonl"
        self.database = folder / "ccod.db"
        self.project.mkdir(parents=True, exist_ok=True)
        self.roots = [str(self.root)]
        self.storage: Storage
        self.written = 0
        self._called = ""
        self.guaranteed: set[str] = set()
        self.is_redated = False
        self._old: set[str] = set()

    def line(self, kind: str = "user", **fields: Any) -> bytes:
        """Return a new line: a message, or a state record."""
        if kind not in {"user", "assistant"}:
            return json.dumps({"type": kind, "sessionId": SESSION} | fields).encode() + b"\n"
        self.written += 1
        text = f"message {self.written} é\u2028 " + "x" * (self.written % 90)
        message: dict[str, Any] = {"role": kind, "content": self._content(kind, text)}
        if kind == "assistant":
            usage = {"input_tokens": 3, "output_tokens": self.written}
            message |= {"id": f"msg_{self.written // 2}", "model": "claude-opus-4-5", "usage": usage}
        record = {
            "type": kind,
            "uuid": _uuid(self.written),
            "timestamp": (BEGAN + timedelta(seconds=self.written)).isoformat(),
            "sessionId": SESSION,
            "cwd": "/home/me/garden",
            "message": message,
        }
        return json.dumps(record | fields).encode() + b"\n"

    def _content(self, kind: str, text: str) -> str | list[dict[str, Any]]:
        """Return what a message says: every third calls a tool or answers the last call, which no other does."""
        if self.written % 3 == 0 and kind == "assistant":
            self._called = f"toolu_{self.written}"
            return [{"type": "text", "text": text}, {"type": "tool_use", "id": self._called, "name": "Bash"}]
        if self.written % 3 == 0 and self._called:
            call, self._called = self._called, ""
            return [{"type": "tool_result", "tool_use_id": call, "content": text}]
        return text

    def lines(self, count: int) -> bytes:
        return b"".join(self.line(("user", "assistant")[number % 2]) for number in range(count))

    def append(self, data: bytes, to: Path | None = None) -> None:
        with (to or self.file).open("ab") as file:
            file.write(data)

    @asynccontextmanager
    async def running(self, *, kill_after: int = 0, **changed: Any) -> AsyncIterator[None]:
        """Follow the files; with `kill_after`, only until so many statements were written, and then as if killed."""
        given: dict[str, Any] = {"roots": self.roots, "scan_interval": 0.02, "scan_interval_idle": 0.02}
        settings = msgspec.convert(given | {"check_after": 0.05} | changed, ClaudeSettings)
        wreck = Wreck(self.database, kill_after)
        async with open_storage(self.database) as storage, trio.open_nursery() as nursery:
            self.storage = storage
            if not await self._streams():  # nobody has seen the root yet: what is there is history
                self._old |= {path.stem for path in _transcripts(self.root)}
            wreck.watch(storage, nursery.cancel_scope.cancel)
            pipeline = Pipeline(PARSERS, self.storage, Bus(), Health())
            source, intake = ClaudeSource(settings), pipeline.intake("claude")

            async def run(*, task_status: trio.TaskStatus[None]) -> None:
                await source.run(intake, task_status=task_status)

            with trio.fail_after(PATIENCE):
                await nursery.start(pipeline.run)
                await nursery.start(run)
            yield
            nursery.cancel_scope.cancel()
        wreck.lay_out()

    async def settled(self) -> None:
        """Wait until all that stands in the files is stored; from then on it must never be lost."""
        with trio.fail_after(PATIENCE):
            while not await self._is_settled():
                await trio.sleep(0.01)
        for path in self._files().values():
            self.guaranteed |= set(uuids(whole_records(path.read_bytes())))

    async def stream_count(self) -> int:
        return len(await self._streams())

    async def settle_to(self, count: int) -> None:
        """Wait until there are so many streams, then until all is stored."""
        with trio.fail_after(PATIENCE):
            while await self.stream_count() < count:
                await trio.sleep(0.01)
        await self.settled()

    async def rewritten(self) -> None:
        """Wait until it is known that the file says something else now."""
        with trio.fail_after(PATIENCE):
            while (await self._shown()).file_rewritten_at is None:
                await trio.sleep(0.01)

    async def deleted(self) -> None:
        """Wait until it is known that the file is no more."""
        with trio.fail_after(PATIENCE):
            while (await self._shown()).file_deleted_at is None:
                await trio.sleep(0.01)

    async def grown(self, size: int) -> None:
        """Wait until more than `size` bytes of the file are stored."""
        with trio.fail_after(PATIENCE):
            while sum(stream.size for stream in await self.storage.streams(self.file.stem)) <= size:
                await trio.sleep(0.01)

    async def shown_file(self) -> str | None:
        """Return where the conversation's file is, or None where it is no more."""
        shown = await self._shown()
        return shown.file_path if shown.file_deleted_at is None else None

    async def check(self) -> None:
        """Compare what is shown with what was written, and with a database that got each stream in one piece."""
        shown = [message.id for key in await self._conversations() for message in await _messages(self.storage, key)]
        assert self.guaranteed <= set(shown), "messages were lost"
        assert set(shown) <= {_uuid(number) for number in range(1, self.written + 1)}, "messages were invented"
        for key in await self._conversations():
            most = max(Counter(message.id for message in await _messages(self.storage, key)).values(), default=1)
            assert most == 1, "messages were doubled"
        for key, wanted in (await self._in_one_piece()).items():
            found = await shape(self.storage, key)
            if came_by_turns(self.database, key):  # then what came first or last of all is not so in one piece
                found |= {name: wanted[name] for name in ("title", "state", "state_reason")}
            if self.is_redated or key in self._old:  # of history the state is that of its own time
                found |= {name: wanted[name] for name in ("state", "state_reason")}
            different = [name for name in wanted if found[name] != wanted[name]]
            assert not different, f"another database says otherwise of {key}: {', '.join(different)}"

    async def _in_one_piece(self) -> dict[str, dict[str, object]]:
        other = self.database.with_name("other.db")
        other.unlink(missing_ok=True)
        async with open_storage(other) as storage:
            for stream in sorted(await self._streams(), key=lambda stream: stream.id):
                body = await archived(self.storage, stream)
                await feed(storage, stream, body)
            return {key: await shape(storage, key) for key in await self._conversations()}

    async def _is_settled(self) -> bool:
        going_on: dict[str, bytes] = {}
        for stream in await self._streams():
            if stream.deleted_at is None and stream.rewritten_at is None:
                if stream.path in going_on:
                    return False
                going_on[stream.path] = await archived(self.storage, stream)
        files = self._files()
        contents = {path: path.read_bytes() for path in files.values()}
        wanted = {path: content for path, content in contents.items() if whole_records(content)}
        for path, content in wanted.items():
            twins = [str(twin) for twin in self._twins(path)]
            if [going_on.get(twin) for twin in twins if twin in going_on] != [content]:
                return False
        return all(Path(path).exists() for path in going_on)

    def _files(self) -> dict[tuple[int, int], Path]:
        """Return one name of each file."""
        return {(s.st_dev, s.st_ino): path for path in _transcripts(self.root) for s in [path.stat()]}

    def _twins(self, path: Path) -> list[Path]:
        return [other for other in _transcripts(self.root) if other.samefile(path)]

    async def _shown(self) -> Conversation:
        (shown,) = await self.storage.conversations_by_id([self.file.stem])
        return shown

    async def _conversations(self) -> list[str]:
        return sorted({stream.conversation for stream, _ in await self.storage.checkpoints("claude")})

    async def _streams(self) -> list[StoredStream]:
        return [stream for key in await self._conversations() for stream in await self.storage.streams(key)]


def uuids(content: bytes) -> list[str]:
    found = []
    for line in content.split(b"\n"):
        try:
            found.append(json.loads(line)["uuid"])
        except (ValueError, KeyError, TypeError):
            continue
    return found


async def archived(storage: Storage, stream: StoredStream) -> bytes:
    body = b""
    while portion := await storage.bytes_of(stream.id, len(body)):
        body += portion
    return body


async def feed(storage: Storage, of: StoredStream, body: bytes) -> None:
    """Store a whole stream as one batch."""
    stream = Stream(of.key, of.format, of.path, of.conversation_id, of.agent, of.kind)
    records, offset = [], 0
    for line in _lines(body):
        records.append(Record(offset, line))
        offset += len(line)
    parsed = [entry for record in records for entry in PARSERS["claude"].parse(stream, record)]
    await storage.append("claude", Batch(stream, records, Checkpoint(offset), size=offset), parsed)


def _lines(body: bytes) -> list[bytes]:
    return [line for line in re.split(rb"(?<=\n)", whole_records(body)) if line]


async def shape(storage: Storage, key: str) -> dict[str, object]:
    """Return what a database says of a conversation, but for what depends on the time and on the state of files."""
    (found,) = await storage.conversations_by_id([key])
    said = {name: getattr(found, name) for name in found.__struct_fields__ if name not in PASSING}
    if not found.message_count:  # nothing states a time
        said |= {"created_at": 0, "updated_at": 0}
    return said | {
        "messages": [msgspec.structs.replace(message, sequence=0) for message in await _messages(storage, key)],
        "responses": [msgspec.structs.replace(each, line_count=0) for each in await storage.responses(key)],
        "tool_calls": [_call(each) for each in (await storage.tool_calls(key, ToolCallQuery(limit=10_000))).items],
        "total_usage": await storage.total_usage(key),
    }


def came_by_turns(database: Path, key: str) -> bool:
    """Tell whether a conversation's streams grew by turns, as those of two files of one session do."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        return connection.execute(GOING_BACK, [key]).fetchone() is not None


def _call(called: CalledTool) -> object:
    return called.call, called.at, called.agent, *(each and each.id for each in (called.use, called.result))


async def _messages(storage: Storage, key: str) -> Sequence[Message]:
    return (await storage.messages(key, MessageQuery(limit=10_000))).items


def _transcripts(root: Path) -> list[Path]:
    return [path for path in root.rglob("*.jsonl") if path.is_file() and not path.is_symlink()]


def _uuid(number: int) -> str:
    return str(UUID(int=number))
