"""Values come back from PostgreSQL as they were, also those that it has no room for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccod import ConversationQuery, Title
from ccod.testing.asking import conversation, messages, send
from ccod.testing.transcripts import Transcript
from ccod_sql.postgres.adapting import adapt, escaped, unescaped
from ccod_sql.postgres.bulk import copy_rows
from tests.plugins.postgres.conftest import NAME, OpenStorage
from tests.postgres import Server

texts = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("\0\1\2a"))


@given(one=texts, other=texts)
def test_an_escaped_text_is_that_text_and_stands_where_it_stood(one: str, other: str) -> None:
    assert "\0" not in escaped(one)
    assert unescaped(escaped(one)) == one
    assert (escaped(one) < escaped(other)) == (one < other)
    assert escaped(one + other).startswith(escaped(one))


@pytest.mark.parametrize("text", ["\0", "a\0b", "\1", "\1\1\2\0", "\U0001f332", "'", "%s", "\\"])
def test_a_text_comes_back(server: Server, text: str) -> None:
    import psycopg

    with psycopg.connect(server.url(NAME)) as connection:
        adapt(connection)
        assert connection.execute("SELECT %s::text", (text,)).fetchone() == (text,)


@given(some=st.lists(st.tuples(st.none() | texts, st.none() | st.binary(), st.none() | st.booleans()), max_size=5))
def test_rows_that_are_copied_come_back(server: Server, some: list[tuple[object, ...]]) -> None:
    import psycopg

    rows = [*some, ("\\N", b"\\N", None), ("\t\n\r\\t", b"\t\n\0", True), ("", b"", False)]
    with psycopg.connect(server.url(NAME)) as connection:
        adapt(connection)
        cursor = connection.cursor()
        cursor.execute("CREATE TEMPORARY TABLE copied (text text, data bytea, flag boolean)")
        copy_rows(cursor, "copied", ["text", "data", "flag"], rows)
        assert cursor.execute("SELECT text, data, flag FROM copied").fetchall() == rows
        connection.rollback()


def test_sums_are_integers(server: Server) -> None:
    import psycopg

    with psycopg.connect(server.url(NAME)) as connection:
        adapt(connection)
        row = connection.execute("SELECT sum(n), avg(n % 4) FROM unnest(ARRAY[9223372036854775807, 2]) AS n").fetchone()
    assert row == (2**63 + 1, 2.5)
    assert [*map(type, row)] == [int, float]


async def test_names_with_characters_that_no_text_takes_are_kept_and_found(storages: OpenStorage) -> None:
    key = "conversation-1\0"
    titles = ["a\0b", "a\1b", "ab"]
    body = b'{"n": 123456789012345678901234567890, "half": "\\ud800", "nul": "\\u0000"}'
    async with storages() as storage:
        for number, title in enumerate(titles):
            told = Transcript(f"{key}{number}").add(at=1, title=Title(title, 1), cwd="/w\0").add(body=body, at=2)
            await send(storage, told)
        found = await conversation(storage, f"{key}0")
        assert (found.title, found.cwd) == (titles[0], "/w\0")
        listed = await storage.conversations(ConversationQuery(sort="title", descending=False, id_prefix=key))
        assert [each.title for each in listed.items] == titles
        assert (await messages(storage, f"{key}1"))[1].body == body
