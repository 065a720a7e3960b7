"""A search finds on PostgreSQL what it finds on SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import settings as how
from hypothesis import strategies as st

from ccod_sql.fts5 import Fts5
from ccod_sql.postgres.texts import LAST_PLACE, MOST_PLACES, Tsvectors, vector
from tests.plugins.postgres.conftest import NAME
from tests.postgres import Server

PIECES = (
    "oak",
    "Oak",
    "elm",
    "élan",
    "elan",
    "Straße",
    "日本語",
    "1.5",
    "a_b",
    "a-b",
    "x/y.py",
    "it's",
    "\\",
    ":",
    "&",
)
pieces = st.sampled_from(PIECES)
texts = st.lists(pieces | st.text(max_size=4), max_size=8).map(" ".join) | st.text(max_size=20)
asked = st.lists(pieces | st.lists(pieces, min_size=2, max_size=3).map(" ".join), min_size=1, max_size=3)


def on_sqlite(said: Sequence[str], terms: Sequence[str]) -> list[int]:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE VIRTUAL TABLE search USING fts5(text, content='', tokenize='unicode61')")
        rows = [(key, text.encode(errors="replace").decode()) for key, text in enumerate(said)]
        connection.executemany("INSERT INTO search(rowid, text) VALUES (?, ?)", rows)
        found = connection.execute("SELECT rowid FROM search WHERE search MATCH ?", (Fts5().asked(terms),))
        return sorted(key for (key,) in found)


def on_postgres(server: Server, said: Sequence[str], terms: Sequence[str]) -> list[int]:
    """Ask of rows that stand in no table."""
    import psycopg

    with psycopg.connect(server.url(NAME)) as connection:
        found = connection.execute(
            "SELECT key FROM unnest(%s::bigint[], %s::text[]) AS s (key, words) WHERE words::tsvector @@ %s::tsquery",
            ([*range(len(said))], [*map(vector, said)], Tsvectors().asked(terms)),
        )
        return sorted(key for (key,) in found)


@how(max_examples=60)
@given(said=st.lists(texts, max_size=6), terms=asked)
def test_the_same_texts_are_found(server: Server, said: list[str], terms: list[str]) -> None:
    assert on_postgres(server, said, terms) == on_sqlite(said, terms)


@pytest.mark.parametrize("terms", [["'"], ["a & b"], ["!oak"], ["oak:*"], ["oak <-> elm"], ["", "\0"], ["(", "oak |"]])
def test_what_has_a_meaning_for_postgresql_is_text(server: Server, terms: list[str]) -> None:
    said = ["oak elm", "a b", "oaks", "elm oak"]
    assert on_postgres(server, said, terms) == on_sqlite(said, terms)


def test_words_of_a_long_message_are_found_wherever_they_stand(server: Server) -> None:
    filled = " ".join(f"word{number}" for number in range(LAST_PLACE + 10))
    often = "oak elm " * (MOST_PLACES + 10)
    for said in (f"{filled} oak elm", f"{often} last oak ash"):
        assert on_postgres(server, [said], ["oak"]) == [0]
        assert on_postgres(server, [said], ["oak elm" if "last" not in said else "oak ash"]) == [0]
        assert on_postgres(server, [said], ["oak yew"]) == []


def test_words_that_stand_often_make_no_neighbours_of_others(server: Server) -> None:
    said = "the " * (MOST_PLACES + 10) + "oak and elm"
    assert on_postgres(server, [said], ["oak elm"]) == []
    assert on_postgres(server, [said], ["the oak", "and elm"]) == [0]


def test_what_is_larger_than_an_index_takes_is_found_as_far_as_it_goes(server: Server) -> None:
    said = " ".join(f"{number:0>40}" for number in range(40_000)) + " " + "x" * 100_000
    assert on_postgres(server, [said], [f"{7:0>40}"]) == [0]
    assert on_postgres(server, ["x" * 100_000], ["x" * 100_000]) == [0]
