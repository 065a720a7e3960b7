"""One database with what several machines keep in it: each is told of itself what it would be told alone."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec

from ccod import Event, Quarantined, Storage
from ccod.testing.asking import Clock, maintain, send
from ccod.testing.storage_sight import AT, told
from ccod.testing.transcripts import Transcript, response, uses
from ccod_sql.settings import SqliteSettings
from ccod_sql.storage import SqlStorage
from tests.prices import PRICES


def opened(database: Path, machine: str, clock: Clock) -> SqlStorage:
    return SqlStorage(SqliteSettings(path=str(database)), machine, PRICES, clock)


async def keep(storage: Storage, machine: str) -> None:
    for number in range(3):
        key = f"{machine}{number}"
        kept = Transcript(key).add(uuid=f"{key}-1", at=AT, cwd=f"/home/dev/{number}", session=key)
        kept.add("assistant", uuid=f"{key}-2", at=AT + number, response=response(key), tool_uses=uses(f"t{key}"))
        await send(storage, kept.add_garbage())
    await maintain(storage)


async def test_each_machine_is_told_what_it_would_be_told_alone(empty_database: Path, tmp_path: Path) -> None:
    clock = Clock()
    databases = {name: tmp_path / f"{name}.db" for name in ("both", "a", "b")}
    for path in databases.values():
        shutil.copy(empty_database, path)
    for machine in "ab":
        for database in ("both", machine):
            async with opened(databases[database], machine, clock) as storage:
                await keep(storage, machine)
    async with opened(databases["both"], "c", clock) as both:
        for machine in "ab":
            async with opened(databases[machine], machine, clock) as alone:
                narrowed, whole = plain(await told(both, frozenset(machine))), plain(await told(alone, None))
                assert all(whole)
                assert narrowed == whole
        assert not any(await told(both, frozenset("c")))


def plain(told: list[object]) -> list[object]:
    """Return what was told without the numbers of events and streams, which depend on what else is there."""
    return [[_plain(item) for item in items] for items in told]  # type: ignore[attr-defined]


def _plain(item: object) -> object:
    match item:
        case Event():
            message = item.message and msgspec.structs.replace(item.message, sequence=0)
            return msgspec.structs.replace(item, seq=0, message=message)
        case Quarantined():
            return msgspec.structs.replace(item, stream_id=0)
    return item


async def test_a_list_of_some_machines_is_found_by_an_index(database: Path, clock: Clock) -> None:
    async with opened(database, "a", clock):
        pass
    with closing(sqlite3.connect(database)) as connection:
        plan = connection.execute(
            "EXPLAIN QUERY PLAN SELECT count(*) FROM conversations "
            "WHERE machine_id IN (SELECT id FROM machines WHERE name IN ('a'))"
        ).fetchall()
    assert any("ix_conversations_machine" in step[-1] for step in plan), plan
