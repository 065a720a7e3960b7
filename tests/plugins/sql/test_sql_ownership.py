"""Each API response counts once, whatever copies of it come in whatever order."""

from __future__ import annotations

import shutil
from collections import defaultdict
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct

from ccod import StretchQuery
from ccod.testing.asking import send
from ccod.testing.transcripts import Transcript, response
from ccod_sql.settings import SqliteSettings
from ccod_sql.storage import SqlStorage
from tests.prices import PRICES

Key = tuple[str, str | None, str, str]


class Line(Struct, frozen=True):
    conversation: str
    agent: str | None
    message: str
    request: str
    at: int
    sidechain: bool


LINES = st.builds(
    Line,
    st.sampled_from(["c1", "c2", "c3"]),
    st.sampled_from([None, None, "a"]),
    st.sampled_from(["m1", "m2"]),
    st.sampled_from(["r1", "r2", ""]),
    st.integers(1, 3),
    st.booleans(),
)


async def owners(database: Path, lines: list[Line]) -> dict[Key, tuple[bool, str]]:
    """Store each line as a batch of its own; return who owns what."""
    transcripts = {key: Transcript(*key) for key in {(line.conversation, line.agent) for line in lines}}
    async with SqlStorage(SqliteSettings(path=str(database)), "machine", PRICES) as storage:
        for line in lines:
            transcript = transcripts[line.conversation, line.agent]
            told = response(line.message, request=line.request)
            await send(storage, transcript.add("assistant", at=line.at, sidechain=line.sidechain, response=told))
        records = [record for conversation, _ in transcripts for record in await storage.responses(conversation)]
        found = {
            (record.conversation_id, record.agent, record.response.message_id, record.response.request_id): (
                record.counted,
                record.owner,
            )
            for record in records
        }
        used = sum(stretch.totals.response_count for stretch in await storage.stretches(StretchQuery()))
        assert used == sum(counted for counted, _ in found.values())
        return found


@settings(max_examples=20)
@given(st.lists(LINES, min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_any_order_of_arrival_gives_the_same_owners(empty_database: Path, lines: list[Line], random: Random) -> None:
    shuffled = [*lines]
    random.shuffle(shuffled)
    with TemporaryDirectory() as folder:
        found = [
            trio.run(owners, Path(shutil.copy(empty_database, f"{folder}/{number}.db")), order)
            for number, order in enumerate((lines, shuffled))
        ]
    assert found[0] == found[1]
    assert_each_counts_once(lines, found[0])


def assert_each_counts_once(lines: list[Line], found: dict[Key, tuple[bool, str]]) -> None:
    aside: defaultdict[Key, bool] = defaultdict(lambda: True)
    for line in lines:
        key = line.conversation, line.agent, line.message, line.request
        aside[key] = aside[key] and (line.sidechain or line.agent is not None)
    for message in {line.message for line in lines}:
        copies = [key for key in found if key[2] == message]
        main = {key[3] for key in copies if not aside[key]}
        counting = [key for key in copies if found[key][0]]
        assert len(counting) == max(1, len(main))
        assert {key[3] for key in counting} == main or not main
        assert {found[key][1] for key in copies} == {key[0] for key in counting}
