"""What stands in the tables: the archive, the migrations, the indexes that queries use."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, event

from ccod import (
    QUARTER_MS,
    TOO_LONG,
    Checkpoint,
    ConversationQuery,
    EntryQuery,
    EventQuery,
    FigureQuery,
    Key,
    MessageQuery,
    ProjectQuery,
    QuarantineQuery,
    Record,
    SessionQuery,
    StretchQuery,
    ToolCallQuery,
    Unparsed,
    Usage,
)
from ccod.model import Role
from ccod.testing.asking import Clock, send
from ccod.testing.transcripts import SOURCE, Transcript, response, results, uses
from ccod_sql import (
    activity,
    archive,
    calling,
    entries,
    events,
    facts,
    figures,
    messages,
    nodes,
    reading,
    rows,
    schema,
    sessions,
    tables,
    usage,
)
from ccod_sql.settings import SqliteSettings
from ccod_sql.sqlite import open_database
from ccod_sql.storage import SqlStorage
from tests.prices import PRICES

OpenStorage = Callable[[], SqlStorage]


def select(database: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(sql).fetchall()


def archived(database: Path) -> bytes:
    blocks = select(database, "SELECT codec, data FROM blocks ORDER BY stream_id, start")
    return b"".join(archive.unpack(codec, data) for codec, data in blocks)


async def test_the_archive_holds_every_byte(database: Path, storages: OpenStorage) -> None:
    transcript = Transcript()
    for number in range(40):
        transcript.add(body=f"{number}".encode() * 20_000)
    transcript.add_garbage()
    transcript.records.append(Record(transcript.size, b"\n"))
    async with storages() as storage:
        await send(storage, transcript, until=3)
        await send(storage, transcript, since=1)
        for _ in range(5):
            await send(storage, transcript.add())
    assert archived(database) == b"".join(record.body for record in transcript.records)
    sizes = select(database, "SELECT start, length, codec, length(data) FROM blocks ORDER BY start")
    assert all(length <= archive.BLOCK_BYTES for _, length, _, _ in sizes)
    assert {codec for _, length, codec, _ in sizes if length < archive.WORTH_PACKING} == {""}
    assert all(stored < length for _, length, codec, stored in sizes if codec == "zstd")


async def test_pieces_of_a_long_line_are_kept(database: Path, storages: OpenStorage) -> None:
    transcript = Transcript()
    transcript.add_garbage()
    transcript.records[0] = Record(0, b"x" * 50, piece=1)
    transcript.parsed[0] = Unparsed(0, 50, TOO_LONG)
    transcript.records.append(Record(50, b"y\n", piece=2))
    async with storages() as storage:
        await send(storage, transcript, until=1)
        await send(storage, transcript)
        assert (await storage.checkpoints(SOURCE))[0][1] == Checkpoint(52, "state at 52")
    assert archived(database) == b"x" * 50 + b"y\n"
    assert select(database, "SELECT offset, length, reason FROM quarantine") == [(0, 52, TOO_LONG)]


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=30), st.integers(0, 9))
def test_blocks_join_up_to_the_records(bodies: list[bytes], start: int) -> None:
    records, offset = [], start
    for body in bodies:
        records.append(Record(offset, body))
        offset += len(body)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(archive, "BLOCK_BYTES", 64)
        blocks = list(archive.split(records))
    assert b"".join(data for _, data in blocks) == b"".join(bodies)
    starts = {record.offset for record in records}
    at = start
    for block_start, data in blocks:
        assert block_start == at
        assert block_start in starts
        assert len(data) <= 64
        at += len(data)


@given(st.binary(max_size=20_000))
def test_packing_is_undone(data: bytes) -> None:
    assert archive.unpack(*archive.pack(data)) == data


async def test_every_line_is_a_row(database: Path, storages: OpenStorage) -> None:
    transcript = Transcript().add(uuid="a", version="1").add(uuid="a", version="1").add("system", subtype="hook")
    transcript.add("novelty", known=False, version="2")
    async with storages() as storage:
        await send(storage, transcript, until=1)
        await send(storage, transcript)
        await send(storage, Transcript(agent="x").add("system", subtype="hook"))
    found = select(database, "SELECT type, role, duplicate, \"offset\" FROM entries WHERE agent = '' ORDER BY id")
    starts = [record.offset for record in transcript.records]
    assert found == [
        ("user", "user", 0, starts[0]),
        ("user", None, 1, starts[1]),
        ("system", None, 0, starts[2]),
        ("novelty", None, 0, starts[3]),
    ]
    types = "SELECT type, subtype, version, known, count FROM record_types ORDER BY type, version"
    assert select(database, types) == [
        ("novelty", "", "2", 0, 1),
        ("system", "hook", "", 1, 2),
        ("user", "", "1", 1, 2),
    ]
    assert select(database, "SELECT entry_count FROM streams ORDER BY id") == [(4,), (1,)]


async def test_a_response_is_dated_by_its_first_line(database: Path, storages: OpenStorage) -> None:
    transcript = Transcript().add("assistant", at=20, response=response(output=1, service_tier="a"))
    transcript.add("assistant", at=10, response=response(output=9, service_tier="b"))
    async with storages() as storage:
        await send(storage, transcript, until=1)
        await send(storage, transcript)
    assert select(database, "SELECT at, output_tokens, service_tier FROM responses") == [(10, 9, "b")]


async def test_the_line_with_most_output_says_what_a_response_is(database: Path, storages: OpenStorage) -> None:
    lines = [
        response(output=1, model="a", service_tier="a", speed="a", region="a"),
        response(output=9, model="b", service_tier="b", speed="b", region="b"),
        response(output=9, model="c", service_tier="c", speed="c", region="c"),
        response(output=2, model="d", service_tier="d", speed="d", region="d"),
    ]
    transcript = Transcript()
    for number, told in enumerate(lines):
        transcript.add("assistant", at=number, response=told)
    async with storages() as storage:
        await send(storage, transcript)
    assert select(database, "SELECT model, service_tier, speed, region FROM responses") == [("b", "b", "b", "b")]


async def test_an_orphan_result_is_kept(database: Path, storages: OpenStorage) -> None:
    async with storages() as storage:
        await send(storage, Transcript().add(tool_results=results("t", is_error=True)))
    assert select(database, "SELECT tool_use_id, use_entry_id, result_entry_id, is_error FROM tool_calls") == [
        ("t", None, 1, 1)
    ]


async def test_more_ids_than_one_statement_takes(storages: OpenStorage) -> None:
    many = [f"t{number}" for number in range(3 * rows.VALUES_AT_ONCE)]
    transcript = Transcript().add("assistant", at=1, tool_uses=uses(*many))
    transcript.add(at=2, tool_results=results(*many))
    async with storages() as storage:
        await send(storage, transcript, until=1)
        await send(storage, transcript)
        (message,) = (await storage.messages("conversation-1", MessageQuery(role="assistant"))).items
    assert [call.id for call in message.tool_calls] == many
    assert {call.status for call in message.tool_calls} == {"success"}


async def test_a_number_of_an_event_is_never_given_again(database: Path, storages: OpenStorage) -> None:
    transcript = Transcript().add()
    async with storages() as storage:
        last = (await send(storage, transcript)).events[-1].seq
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("DELETE FROM events")
    async with storages() as storage:
        assert (await send(storage, transcript.add())).events[0].seq == last + 1


async def test_after_a_power_cut_no_number_is_given_that_somebody_may_have_heard(
    database: Path, storages: OpenStorage, tmp_path: Path
) -> None:
    transcript = Transcript().add()
    cut = {path: tmp_path / "cut" / path.name for path in (database, Path(f"{database}-wal"))}
    (tmp_path / "cut").mkdir()
    async with storages() as storage:
        await send(storage, transcript)
        for path, copy in cut.items():
            shutil.copy(path, copy)
        heard = (await send(storage, transcript.add())).events[-1].seq  # and then the power goes, and takes this along
        transcript.sent -= 1
    async with SqlStorage(SqliteSettings(path=str(cut[database])), "machine", PRICES) as storage:
        assert (await storage.position()).seq > heard
        again = (await send(storage, transcript)).events
        assert again
        assert again[0].seq > heard


async def test_every_row_knows_its_machine(database: Path, clock: Clock) -> None:
    for machine in ("one", "two", "one"):
        async with SqlStorage(SqliteSettings(path=str(database)), machine, PRICES, clock) as storage:
            await send(storage, Transcript(f"c-{machine}").add(at=1, cwd="/w"))
            assert len(await storage.checkpoints(SOURCE)) == 1
            found = (await storage.projects(ProjectQuery())).items
            assert {project.machine for project in found} <= {"one", "two"}
    assert len({project.id for project in found}) == 2
    for table in ("projects", "conversations", "streams"):
        machines = f"SELECT machines.name FROM {table} JOIN machines ON machines.id = machine_id"
        assert sorted({name for (name,) in select(database, machines)}) == ["one", "two"]


def is_ours(name: str | None, kind: str, _: object) -> bool:
    """Leave out the index of texts, which no dialect can describe."""
    return kind != "table" or name == "search_keys" or not (name or "").startswith("search")


def test_the_migrations_lead_to_the_tables(tmp_path: Path) -> None:
    config = Config()
    config.set_main_option("script_location", "ccod_sql:migrations")
    assert ScriptDirectory.from_config(config).get_heads() == [schema.HEAD]
    with open_database(SqliteSettings(path=str(tmp_path / "x.db"))) as database:
        schema.upgrade(database.writer, database.path)
        with database.writer.begin() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True, "include_name": is_ours})
            assert compare_metadata(context, tables.metadata) == []
            for table in tables.metadata.sorted_tables:
                made = connection.exec_driver_sql(f"SELECT * FROM {table.name}").keys()
                assert sorted(made) == sorted(table.c.keys())


def test_rows_have_the_columns_of_their_tables() -> None:
    for table, kind in (
        (tables.projects, rows.Project),
        (tables.conversations, rows.Conversation),
        (tables.streams, rows.Stream),
        (tables.responses, rows.Response),
        (tables.entries, rows.Entry),
        (tables.tool_calls, rows.ToolCall),
        (tables.record_types, rows.RecordType),
        (tables.model_quarters, rows.ModelQuarter),
        (tables.message_quarters, rows.MessageQuarter),
        (tables.tool_quarters, rows.ToolQuarter),
    ):
        assert sorted(kind.__struct_fields__) == sorted(table.c.keys())
    assert Usage.__struct_fields__ == tables.TOKENS


def test_every_sort_of_the_role_is_known() -> None:
    for query, sorts in (
        (ProjectQuery, reading.PROJECT_SORTS),
        (ConversationQuery, reading.CONVERSATION_SORTS),
    ):
        (names,) = (field.type for field in msgspec.structs.fields(query) if field.name == "sort")
        assert set(get_args(names)) == set(sorts)


BIG = ("entries", "blocks", "tool_calls", "responses", "streams", "events")


def plans(project: str) -> Iterator[tuple[str, Any]]:
    roles: tuple[Role | None, ...] = (None, "user")
    for role in roles:
        for agent in (None, "a"):
            for descending in (False, True):
                query = MessageQuery(role=role, agent=agent, descending=descending, offset=5, limit=9)
                yield f"messages {role} {agent} {descending}", lambda c, q=query: messages.page(c, "conversation-1", q)
    yield "news", lambda c: messages.between(c, 1, 30)
    yield "conversations", lambda c: reading.find_conversations(c, ConversationQuery())
    yield "of a project", lambda c: reading.find_conversations(c, ConversationQuery(project_id="proj_x"))
    yield "by id", lambda c: reading.conversations_with(c, ["conversation-1"])
    for sort in reading.CONVERSATION_SORTS:
        listed = ConversationQuery(sort=sort, after=(1,) if sort == "title" else (1, 1))  # type: ignore[arg-type]
        yield f"conversations by {sort}", lambda c, q=listed: reading.find_conversations(c, q)
    yield "projects", lambda c: reading.find_projects(c, ProjectQuery())
    yield "projects behind a key", lambda c: reading.find_projects(c, ProjectQuery(after=(1, 1)))
    yield "messages behind a key", lambda c: messages.page(c, "conversation-1", MessageQuery(after=(1, 1)))
    after: Key | None
    for after in (None, (1, 1, 1)):
        yield f"tool calls {after}", lambda c, k=after: calling.find(c, "conversation-1", ToolCallQuery(after=k))
    for after in (None, (1,)):
        yield f"quarantine {after}", lambda c, k=after: facts.find_quarantine(c, QuarantineQuery(after=k))
    for some in (None, "proj_x"):
        summed = FigureQuery((0, QUARTER_MS, 2 * QUARTER_MS), some, model="large")
        yield f"overview {some}", lambda c, q=summed: figures.overview(c, q)
        yield f"usage {some}", lambda c, q=summed: figures.usage(c, q)
        for after in (None, (1, 1)):
            session = SessionQuery(0, QUARTER_MS, some, "large", after=after)
            yield f"sessions {some} {after}", lambda c, q=session: sessions.find(c, q)
    yield "time of all figures", figures.time_of_all
    yield "responses", lambda c: usage.responses_of(c, "conversation-1", PRICES)
    yield "total usage", lambda c: usage.total_usage(c, "conversation-1")
    yield "entries", lambda c: entries.find(c, "conversation-1", EntryQuery(type="user", subtype="x"))
    for after in (None, (1,)):
        yield f"all entries {after}", lambda c, k=after: entries.find(c, "conversation-1", EntryQuery(after=k))
    yield "nodes", lambda c: nodes.find(c, "conversation-1")
    yield "activity", lambda c: activity.of(c, "conversation-1")
    yield "stretches of all", lambda c: usage.stretches(c, StretchQuery())
    yield "stretches", lambda c: usage.stretches(c, StretchQuery(1, 9))
    for asked in (
        EventQuery(),
        EventQuery(kinds=["message_added"]),
        EventQuery(conversations=["conversation-1"]),
        EventQuery(projects=[project]),
    ):
        yield f"events {asked}", lambda c, q=asked: events.find(c, q)
    yield "events by time", lambda c: events.position(c, 1)
    yield "checkpoints", lambda c: reading.checkpoints(c, 1, SOURCE)


async def test_no_query_walks_through_all_entries(database: Path, storages: OpenStorage) -> None:
    transcript = Transcript()
    for number in range(30):
        transcript.add(uuid=str(number), at=number, cwd="/w", tool_results=results("t"))
    async with storages() as storage:
        project = str((await send(storage, transcript)).events[0].project_id)
        await send(storage, Transcript(agent="a").add(at=1))
    statements: list[tuple[str, Any]] = []
    with open_database(SqliteSettings(path=str(database))) as opened:
        event.listen(
            opened.readers,
            "before_cursor_execute",
            lambda _c, _cursor, sql, values, _context, _many: statements.append((sql, values)),
        )
        for name, read in plans(project):
            statements.clear()
            with opened.readers.connect() as connection:
                read(connection)
                asked = [item for item in statements if item[0].startswith(("SELECT", "WITH"))]
                assert 0 < len(asked) <= (8 if name.startswith(("overview", "time", "events")) else 3), name
                steps = [step for item in asked for step in explain(connection, *item)]
                if name == "stretches of all":  # which are sums over each response that counts
                    assert steps[0] == "SCAN responses USING INDEX ix_responses_counted"
                    continue
                assert not any(step.startswith(f"SCAN {big}") for step in steps for big in BIG), (name, steps)
                if name.startswith(("overview", "usage", "time")):
                    assert not any(step.startswith(f"SEARCH {big}") for step in steps for big in BIG), (name, steps)
                    scans = [step for step in steps if step.startswith("SCAN") and "_quarters" in step]
                    assert all("COVERING INDEX" in step for step in scans), (name, steps)
                if name.startswith("tool calls"):
                    assert any("USING COVERING INDEX ix_tool_calls_used" in step for step in steps), (name, steps)
                if name.startswith("messages"):
                    assert any("USING COVERING INDEX ix_entries_messages" in step for step in steps), (name, steps)


def explain(connection: Connection, sql: str, values: Any) -> list[str]:
    return [step for *_, step in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values)]
