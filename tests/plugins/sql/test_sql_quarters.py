"""Figures of quarters of an hour are what the rows below them come to, whatever happened to these."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
from collections import defaultdict, deque
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct

from ccod import QUARTER_MS, Usage
from ccod.testing.asking import Clock, maintain, send
from ccod.testing.transcripts import Transcript, response, results, uses
from ccod_jsonl.reading import Position
from ccod_prices.settings import ModelPrice, PricesSettings
from ccod_prices.table import PriceTable
from ccod_sql.settings import SqliteSettings
from ccod_sql.storage import SqlStorage
from tests.plugins.sql.feeding import PARSERS, feed, stream
from tests.plugins.sql.test_sql_reparse import BetterParser, fill
from tests.plugins.sql.test_sql_tables import select
from tests.prices import PRICES

LISTS = (PRICES, PriceTable(PricesSettings(models={"large": ModelPrice(2, 10), "rare": ModelPrice(1, 5)})))
TABLES = ("model_quarters", "message_quarters", "tool_quarters")
LATER_INDEXES = (
    "ix_conversations_created",
    "ix_conversations_machine",
    "ix_tool_calls_used",
    "ix_events_conversation",
    "ix_events_project",
    "ix_events_subject",
)
STREAMS = (("c1", None), ("c2", None), ("c3", None), ("c1", "a"))


class Line(Struct, frozen=True):
    """Which of few things a line says, so that lines tell of one response or call, and conversations of copies."""

    number: int
    of: int
    message: int
    minute: int
    model: str
    output: int
    sidechain: bool

    def body(self) -> bytes:
        conversation, _ = STREAMS[self.of]
        call = f"t{self.message}"
        line: dict[str, Any] = {
            "uuid": f"{conversation}-{self.number}",
            "timestamp": f"2026-01-02T03:{self.minute:02}:00.000Z",
            "sessionId": conversation,
            "cwd": "/home/u/shop",
            "isSidechain": self.sidechain,
        }
        if self.number % 3 == 0:
            result = {"type": "tool_result", "tool_use_id": call, "content": "", "is_error": self.output > 2}
            said: dict[str, Any] = {"role": "user", "content": [result] if self.number % 2 else "words"}
            return json.dumps({**line, "type": "user", "message": said}).encode() + b"\n"
        content = [{"type": "tool_use", "id": call, "name": f"Tool{self.message % 2}", "input": {}}]
        said = {"id": f"m{self.message}", "model": self.model, "usage": {"output_tokens": self.output}}
        request = f"r{self.output % 2}"
        spoken = {**said, "content": content if self.number % 2 else "words"}
        return json.dumps({**line, "type": "assistant", "requestId": request, "message": spoken}).encode() + b"\n"


LINES = st.builds(
    Line,
    st.integers(0, 11),
    st.integers(0, len(STREAMS) - 1),
    st.integers(0, 1),
    st.integers(0, 59),
    st.sampled_from(["large", "large", "rare", "<synthetic>"]),
    st.integers(0, 4),
    st.booleans(),
)
STEPS = st.one_of(
    st.lists(LINES, min_size=1, max_size=6),
    st.lists(LINES, min_size=1, max_size=6),
    st.sampled_from(["reparse", "better", "forget c1", "forget c2", "forget project", "reprice"]),
)


class History:
    """A database to which things happen one after another."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._files = dict.fromkeys(range(len(STREAMS)), b"")
        self._read = dict.fromkeys(range(len(STREAMS)), Position())
        self._prices = 0
        self._parser: Any = PARSERS["claude"]

    def storage(self) -> SqlStorage:
        parsers = {"claude": self._parser}
        return SqlStorage(SqliteSettings(path=str(self._database)), "machine", LISTS[self._prices], Clock(), parsers)

    async def go(self, steps: list[list[Line] | str]) -> None:
        waiting = deque(steps)
        while waiting:
            async with self.storage() as storage:
                while waiting:
                    await self._take(storage, step := waiting.popleft())
                    await maintain(storage)
                    assert kept(self._database) == recomputed(self._database)
                    if isinstance(step, str) and step in {"reprice", "better"}:
                        break
        async with self.storage() as storage:
            await maintain(storage)
        assert kept(self._database) == recomputed(self._database)

    async def _take(self, storage: SqlStorage, step: list[Line] | str) -> None:
        match step:
            case "reprice":
                self._prices = 1 - self._prices
            case "better":
                self._parser = BetterParser()
            case "reparse":
                await storage.reparse()
            case "forget c1" | "forget c2":
                await storage.forget_conversation(step[-2:])
            case "forget project":
                for (key,) in select(self._database, "SELECT key FROM projects"):
                    await storage.forget_project(key)
            case list(lines):
                for line in lines:
                    self._files[line.of] += line.body()
                for number, (conversation, agent) in enumerate(STREAMS):
                    of = stream(conversation, agent)
                    self._read[number] = await feed(storage, of, self._files[number], self._read[number])


def kept(database: Path) -> dict[str, dict[Any, list[int]]]:
    """Return the figures by their keys. A row that says nothing would be a fault."""
    found: dict[str, dict[Any, list[int]]] = {}
    for table in TABLES:
        rows = select(database, f"SELECT * FROM {table}")
        keys = 2 if table == "message_quarters" else 3
        found[table] = {row[:keys]: [*row[keys:]] for row in rows}
    return found


def recomputed(database: Path) -> dict[str, dict[Any, list[int]]]:
    """Return what the figures must be, from the rows below them."""
    models: dict[Any, list[int]] = defaultdict(lambda: [0] * (3 + len(Usage.__struct_fields__)))
    messages: dict[Any, list[int]] = defaultdict(lambda: [0] * 2)
    tools: dict[Any, list[int]] = defaultdict(lambda: [0] * 5)
    with closing(sqlite3.connect(database)) as connection:
        connection.row_factory = sqlite3.Row
        for row in connection.execute("SELECT * FROM responses WHERE counted"):
            tokens = [row[name] for name in Usage.__struct_fields__]
            unpriced = row["cost_nanos"] is None and not row["model"].startswith("<") and any(tokens)
            _add(models[_key(row, "at", "model")], 1, unpriced, row["cost_nanos"] or 0, *tokens)
        for row in connection.execute("SELECT * FROM entries WHERE role IS NOT NULL"):
            _add(messages[_key(row, "at")], row["role"] == "user", row["role"] != "user")
        for row in connection.execute("SELECT * FROM tool_calls WHERE use_entry_id IS NOT NULL"):
            duration = row["duration_ms"]
            pending = row["result_entry_id"] is None
            sums = tools[_key(row, "used_at", "name")]
            _add(sums, 1, pending, row["is_error"], duration is not None, duration or 0)
    return {"model_quarters": dict(models), "message_quarters": dict(messages), "tool_quarters": dict(tools)}


def _key(row: sqlite3.Row, at: str, *also: str) -> tuple[Any, ...]:
    return row[at] // QUARTER_MS, row["conversation_id"], *(row[name] for name in also)


def _add(sums: list[int], *more: int) -> None:
    sums[:] = [one + other for one, other in zip(sums, more, strict=True)]


async def test_a_copy_that_counts_instead_takes_its_figures_along(database: Path) -> None:
    """The history above finds this as well, and more; this one does at once."""
    late = Transcript("c2").add("assistant", at=QUARTER_MS, response=response("m1"), tool_uses=uses("t1"))
    early = Transcript("c1").add("user", at=0).add("assistant", at=0, response=response("m1", model="rare"))
    counted = "SELECT c.key, m.model, m.response_count, m.unpriced_count FROM model_quarters m JOIN conversations c"
    async with History(database).storage() as storage:
        for sent, expected in ((late, ("c2", "large", 1, 0)), (early, ("c1", "rare", 1, 1))):
            await send(storage, sent)
            assert kept(database) == recomputed(database)
            assert select(database, f"{counted} ON c.id = m.conversation_id") == [expected]
        await send(storage, late.add(at=QUARTER_MS, tool_results=results("t1", is_error=True)))
        assert kept(database) == recomputed(database)
        assert select(database, "SELECT call_count, pending_count, error_count, duration_ms FROM tool_quarters") == [
            (1, 0, 1, 0)
        ]


@settings(max_examples=8, deadline=None)
@given(st.lists(STEPS, min_size=1, max_size=5))
def test_figures_are_true_after_any_history(empty_database: Path, steps: list[list[Line] | str]) -> None:
    with TemporaryDirectory() as folder:
        database = Path(shutil.copy(empty_database, folder))
        trio.run(History(database).go, steps)


async def test_the_migration_makes_the_same_figures(database: Path, clock: Clock) -> None:
    async with History(database).storage() as storage:
        await fill(storage, random.Random(3), clock)
    before = kept(database)
    assert all(before.values())
    with closing(sqlite3.connect(database)) as connection, connection:
        for table in TABLES:
            connection.execute(f"DROP TABLE {table}")
        for index in LATER_INDEXES:
            connection.execute(f"DROP INDEX {index}")
        connection.execute("ALTER TABLE streams DROP COLUMN model")
        connection.execute("ALTER TABLE events DROP COLUMN machine_id")
        connection.execute("DROP TABLE reads")
        connection.execute("UPDATE alembic_version SET version_num = '0003'")
    async with History(database).storage():
        assert kept(database) == before
