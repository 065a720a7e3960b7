"""What is stored on PostgreSQL is what is stored on SQLite, row by row, and is read the same."""

from __future__ import annotations

import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from ccod import (
    QUARTER_MS,
    ConversationQuery,
    EntryQuery,
    EventQuery,
    FigureQuery,
    MessageQuery,
    ProjectQuery,
    QuarantineQuery,
    SearchQuery,
    SessionQuery,
    Storage,
    StretchQuery,
    ToolCallQuery,
)
from ccod.testing.asking import Clock
from ccod_jsonl.reading import Position
from ccod_sql import tables
from tests.plugins.postgres.conftest import NAME, opened
from tests.plugins.sql.feeding import cuts, feed, stream, transcript
from tests.plugins.sql.opening import opened as on_sqlite
from tests.plugins.sql.test_sql_packing import IDLE, maintained
from tests.postgres import Server

NUMBERS = {"quarantine": ["id"], "blocks": ["id"]}
"""What SQLite gives again when a row is gone, and PostgreSQL does not."""
DAY = 96 * QUARTER_MS
TIME = 1_767_322_980_000 // DAY * DAY


def kept(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return sorted((tuple(int(v) if isinstance(v, bool) else v for v in row) for row in rows), key=repr)


def of_sqlite(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    with closing(sqlite3.connect(path)) as connection:
        return {name: kept(connection.execute(sql).fetchall()) for name, sql in selects()}


def of_postgres(server: Server) -> dict[str, list[tuple[Any, ...]]]:
    return {name: kept(server.run(sql, NAME)) for name, sql in selects()}


def selects() -> list[tuple[str, str]]:
    found = []
    for table in tables.metadata.sorted_tables:
        columns = ", ".join(f'"{column.name}"' for column in table.c if column.name not in NUMBERS.get(table.name, ()))
        where = " WHERE key NOT IN ('epoch', 'file', 'last_gone_event', 'revision')" if table.name == "meta" else ""
        found.append((table.name, f"SELECT {columns} FROM {table.name}{where}"))
    return found


async def live(storage: Storage, seed: int, clock: Clock) -> None:
    """Let files of two conversations and an agent grow side by side, be derived again, and in part be forgotten."""
    made = random.Random(seed)
    growing: list[list[Any]] = [
        [stream(), transcript(60, seed, canary="oak"), Position()],
        [stream(key="/p/c1.jsonl#2"), transcript(30, seed) + transcript(20, seed + 1), Position()],
        [stream(agent="a"), transcript(30, seed + 2), Position()],
        [stream("c2"), transcript(40, seed, conversation="c2"), Position()],
        [stream("c3"), transcript(10, seed + 4, conversation="c3"), Position()],
    ]
    steps = [(number, size) for number, each in enumerate(growing) for size in cuts(len(each[1]), made)]
    made.shuffle(steps)
    for number, size in steps:
        of, data, position = growing[number]
        if size > position.offset:
            growing[number][2] = await feed(storage, of, data[:size], position)
            clock.now += made.randrange(60_000)
    clock.now += 2 * IDLE
    await maintained(storage)
    await storage.reparse()
    await storage.forget_conversation("c3")
    await maintained(storage)


async def answers(storage: Storage) -> dict[str, Any]:
    """Return what a storage answers to all that can be asked of it."""
    (project, *_) = (await storage.projects(ProjectQuery())).items
    figures = FigureQuery((TIME, TIME + DAY, TIME + 2 * DAY))
    return {
        "projects": [await storage.projects(ProjectQuery(sort=sort)) for sort in ("name", "lastActivity")],
        "conversations": [
            await storage.conversations(ConversationQuery(sort=sort, limit=1)) for sort in ("title", "updatedAt")
        ],
        "filtered": await storage.conversations(
            ConversationQuery(id_prefix="c", project_id=project.id, has_errors=False, status="completed")
        ),
        "messages": await storage.messages("c1", MessageQuery(limit=20, descending=True)),
        "behind": await storage.messages("c1", MessageQuery(limit=5, after=(TIME, 1))),
        "events": await storage.events(EventQuery(projects=[project.id])),
        "entries": await storage.entries("c1", EntryQuery(type="user")),
        "nodes": await storage.nodes("c1"),
        "streams": await storage.streams("c1"),
        "bytes": [await storage.bytes_of(each.id, 0) for each in await storage.streams("c1")],
        "quarantine": (await storage.quarantine(QuarantineQuery())).items,
        "types": await storage.record_types(),
        "responses": await storage.responses("c1"),
        "total": await storage.total_usage("c1"),
        "stretches": await storage.stretches(StretchQuery()),
        "figured": await storage.figured(),
        "overview": await storage.overview(figures),
        "usage": await storage.usage(figures),
        "sessions": await storage.sessions(SessionQuery(TIME, TIME + DAY)),
        "activity": await storage.activity("c1"),
        "calls": [await storage.tool_calls("c1", ToolCallQuery(status=status)) for status in ("pending", "success")],
        "subagents": await storage.subagents("c1"),
        "search": await storage.search(SearchQuery(["oak"], role="user", project=project.name)),
        "answers": await storage.search(
            SearchQuery(["oak"], ranked=True, role="assistant", model="SONNET", tool="Bash", error=False)
        ),
        "repeats": [await storage.repeats(each.id) for each in await storage.streams("c1")],
        "position": (await storage.position(before=TIME)).seq,
    }


@pytest.mark.parametrize("seed", range(3))
async def test_rows_and_answers_are_the_same(
    server: Server, url: str, empty_sqlite: Path, tmp_path: Path, seed: int
) -> None:
    path = Path(shutil.copy(empty_sqlite, tmp_path / "ccod.db"))
    ours, theirs = Clock(), Clock()
    async with on_sqlite(path, ours) as storage:
        await live(storage, seed, ours)
        expected = await answers(storage)
    async with opened(url, tmp_path, theirs) as storage:
        await live(storage, seed, theirs)
        found = await answers(storage)
    stored = of_postgres(server)
    for name, rows in of_sqlite(path).items():
        assert stored[name] == rows, name
    for name, answer in expected.items():
        assert found[name] == answer, name
    assert expected["search"].hits


async def test_answers_do_not_depend_on_where_rows_lie(server: Server, url: str, tmp_path: Path) -> None:
    """PostgreSQL writes a changed row elsewhere, and reads in that order what is asked in none and without an index."""
    clock, without = Clock(), ("indexscan", "indexonlyscan", "bitmapscan")
    options = quote(" ".join(f"-c enable_{each}=off" for each in without))
    async with opened(f"{url}{'&' if '?' in url else '?'}options={options}", tmp_path, clock) as storage:
        await live(storage, 0, clock)
        before = await answers(storage)
        for table in tables.metadata.sorted_tables:
            column, name = next(iter(table.c)).name, table.name
            some = f"SELECT ctid FROM {name} WHERE hashtext(ctid::text) % 2 = 0"
            server.run(f'UPDATE {name} SET "{column}" = "{column}" WHERE ctid IN ({some})', NAME)
        after = await answers(storage)
    for name, answer in before.items():
        assert after[name] == answer, name
