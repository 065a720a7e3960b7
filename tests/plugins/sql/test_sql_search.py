"""The full-text index is in the order of seconds, in whatever order messages came and were indexed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import trio
from hypothesis import given
from hypothesis import settings as how
from hypothesis import strategies as st
from msgspec.structs import replace

from ccod import Found, Health, SearchQuery
from ccod.testing.asking import Clock
from ccod_sql import indexing, keys, search
from ccod_sql.storage import SqlStorage
from tests.plugins.sql.feeding import feed, stream
from tests.plugins.sql.opening import opened

START = 1_767_225_600_000
OAK = SearchQuery(["oak"], limit=3)

TIMES = (0, 1, 700, 999, 1000, 1001, 1999, 2000)

Said = tuple[int, str]
"""After how many milliseconds what was said."""


def line(number: int, said: Said) -> bytes:
    at = datetime.fromtimestamp((START + said[0]) / 1000, UTC).isoformat(timespec="milliseconds")
    message = {"role": "user", "content": said[1]}
    return json.dumps({"type": "user", "uuid": f"u{number}", "timestamp": at, "message": message}).encode() + b"\n"


async def say(storage: SqlStorage, conversation: str, some: Sequence[Said]) -> None:
    await feed(storage, stream(conversation), b"".join(line(number, said) for number, said in enumerate(some)))


async def index(storage: SqlStorage, steps: int = 1000) -> None:
    for _ in range(steps):
        if await storage.maintain(Health()) is None:
            return


async def hits(storage: SqlStorage, query: SearchQuery) -> list[Found]:
    """Return all pages of a search."""
    pages = [await storage.search(query)]
    while pages[-1].before is not None:
        pages.append(await storage.search(replace(query, before=pages[-1].before)))
    return pages


def newest_first(some: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    return sorted(some, key=lambda moment: (moment[0] // 1000, moment[1]), reverse=True)


def moments(pages: Sequence[Found]) -> list[tuple[int, int]]:
    return [(hit.message.at - START, hit.message.sequence) for page in pages for hit in page.hits]


said = st.tuples(st.sampled_from(TIMES) | st.just(10**9), st.sampled_from(["oak", "an oak", "elm"]))
arrivals = st.lists(st.tuples(st.lists(said, min_size=1, max_size=8), st.integers(0, 4)), min_size=1, max_size=8)


@how(max_examples=10)
@given(
    arrivals=arrivals,
    since=st.just(-1) | st.sampled_from(TIMES),
    until=st.none() | st.sampled_from(TIMES),
    again=st.booleans(),
)
def test_pages_joined_are_all_matches_by_time(
    empty_database: Path,
    arrivals: list[tuple[list[Said], int]],
    since: int,
    until: int | None,
    again: bool,
) -> None:
    async def check(database: Path) -> None:
        async with opened(database, Clock()) as storage:
            for number, (some, steps) in enumerate(arrivals):
                await say(storage, f"c{number}", some)
                await index(storage, steps)
            if again:
                await storage.reparse()
            await index(storage)
            ids = range(1, 1 + sum(len(some) for some, _ in arrivals))
            all_said = [each for some, _ in arrivals for each in some]
            oaks = [(at, id_) for (at, text), id_ in zip(all_said, ids, strict=True) if "oak" in text]
            assert moments(await hits(storage, OAK)) == newest_first(oaks)
            until_at = None if until is None else START + until
            some_pages = await hits(storage, replace(OAK, since=START + since, until=until_at))
            within = [(at, id_) for at, id_ in oaks if since <= at and (until is None or at <= until)]
            assert moments(some_pages) == newest_first(within)

    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(indexing, "PORTION_ENTRIES", 3)
        patch.setattr(search, "CANDIDATES", 4)
        trio.run(partial(check, Path(shutil.copy(empty_database, Path(folder) / "ccod.db"))))


async def test_nothing_is_lost_where_a_time_has_no_more_keys(
    database: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "BITS", 2)
    async with opened(database, clock) as storage:
        for conversation in "abcd":
            await say(storage, conversation, [(at % 3 * 1000, "oak") for at in range(20)])
            await index(storage, 1)
        await index(storage)
        found = moments(await hits(storage, OAK))
        assert sorted(id_ for _, id_ in found) == [*range(1, 81)]
        assert found[:3] == sorted(found[:3], reverse=True)


async def test_an_answer_tells_how_much_is_indexed(
    database: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "PORTION_ENTRIES", 3)
    async with opened(database, clock) as storage:
        assert (await storage.search(OAK)).indexed == 1
        await say(storage, "c1", [(1, "oak")] * 12)
        assert (await storage.search(OAK)).indexed == 0
        await index(storage, 2)
        assert 0 < (await storage.search(OAK)).indexed < 1
        await index(storage)
        assert (await storage.search(OAK)).indexed == 1


async def test_what_was_forgotten_leaves_no_key(database: Path, clock: Clock) -> None:
    async with opened(database, clock) as storage:
        await say(storage, "c1", [(1, "oak"), (2, "oak")])
        await say(storage, "c2", [(1, "oak"), (2, "oak")])
        await index(storage)
        await storage.forget_conversation("c1")
        await index(storage)
        assert moments(await hits(storage, OAK)) == [(2, 4), (1, 3)]
        with storage._database.readers.connect() as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM search_keys").scalar() == 2
