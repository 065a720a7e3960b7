"""Search: what is found, in which order, by which filter, and what is shown of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccod_rest.searching import SearchError, take_apart
from ccod_rest.snippets import LONGEST, snippet
from ccod_sql import indexing
from tests.plugins.rest.library import Library, library

READ = {"type": "tool_use", "id": "toolu_1", "name": "Read", "input": {"file_path": "/garden/rake.py", "n": [1, "hoe"]}}
RESULT = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "spade not found", "is_error": True}


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Library]:
    async with library(tmp_path / "ccod.db") as opened:
        yield opened


@pytest.fixture
async def garden(house: Library) -> Library:
    await house.add(
        house.said("user", "Plant a Rose by the wall"),
        house.said("assistant", [{"type": "thinking", "thinking": "roses need sun"}, READ]),
        house.said("user", [RESULT]),
        house.said("assistant", [{"type": "text", "text": "The rose is planted. Café-au-lait dahlia too."}]),
    )
    return house


async def test_words_are_found_wherever_they_were_said(garden: Library) -> None:
    assert await garden.hits("rose") == [
        "The rose is planted. Café-au-lait dahlia too.",
        "Plant a Rose by the wall",
    ]
    assert len(await garden.hits("sun")) == 1, "in thoughts"
    assert len(await garden.hits("hoe")) == 1, "in what a tool is given"
    assert len(await garden.hits("rake.py")) == 1
    assert len(await garden.hits("spade")) == 1, "in what a tool answers"
    assert len(await garden.hits("cafe dahlia")) == 1, "without accents"
    assert await garden.hits("rose cactus") == []
    assert await garden.hits('"rose planted"') == []
    assert len(await garden.hits('"rose is planted"')) == 1


async def test_a_hit_says_where_it_is(garden: Library) -> None:
    (hit,) = (await garden.get("/api/search", q="spade"))["data"]["hits"]
    assert hit == {
        "conversationId": garden.session,
        "title": "Plant a Rose by the wall",
        "projectId": hit["projectId"],
        "projectName": "garden",
        "messageId": "00000000-0000-4000-8000-000000000003",
        "agentId": None,
        "role": "user",
        "timestamp": "2026-01-01T00:03:00.000Z",
        "tool": "Read",
        "snippet": {"text": "spade not found", "matches": [{"start": 0, "length": 5}]},
    }


FILTERED = [
    ("rose role:user", 1),
    ("rose role:assistant", 1),
    ("rose model:opus", 1),
    ("rose model:haiku", 0),
    ("rose project:garden", 2),
    ('rose project:"garden"', 2),
    ("rose project:cellar", 0),
    ("hoe tool:Read", 1),
    ("spade tool:Read", 1),
    ("spade tool:Bash", 0),
    ("spade error:true", 1),
    ("spade error:false", 0),
    ("rose since:2026-01-01T00:02:00Z", 1),
    ("rose since:2026-01-02", 0),
]


async def test_filters(garden: Library) -> None:
    for words, found in FILTERED:
        assert len(await garden.hits(words)) == found, words
        term, _, filter_ = words.partition(" ")
        name, _, value = filter_.partition(":")
        assert len(await garden.hits(term, **{name: value.strip('"')})) == found, words


async def test_pages_lead_through_all_hits_once(house: Library) -> None:
    await house.add(*(house.said("user", f"leaf number{number}") for number in range(23)))
    seen: list[str] = []
    query: dict[str, Any] = {"q": "leaf", "limit": 10}
    for _ in range(4):
        data = (await house.get("/api/search", **query))["data"]
        seen += [hit["snippet"]["text"] for hit in data["hits"]]
        if data["nextCursor"] is None:
            break
        query["cursor"] = data["nextCursor"]
    assert seen == [f"leaf number{number}" for number in reversed(range(23))]


async def test_rank_puts_the_best_first(house: Library) -> None:
    await house.add(house.said("user", "oak " * 9), house.said("user", "oak among " + "many other words " * 50))
    assert [text.split()[1] for text in await house.hits("oak", sort="rank")] == ["oak", "among"]
    assert [text.split()[1] for text in await house.hits("oak")] == ["among", "oak"]


REFUSED = ["", "   ", '""', "role:user", "***", "x" * 257, "a " * 33, "a role:nobody", "a error:x"]
SYNTAX = [
    *['a"', '"', '"a" OR "b"', "a OR b", "NOT a", "a AND", "a*", "^a", "text:a", "{text}:a", "a NEAR(b)", "(a"],
    *["rowid:1 a", "a -b", "a + b", "a';--", "a\0b", "a \N{GRINNING FACE}", "a:b:c", "project: a", "a)"],
]


async def test_what_cannot_be_searched_for_is_refused(house: Library) -> None:
    for q in REFUSED:
        answer = await house.http.get("/api/search", params={"q": q})
        assert answer.status_code == 400, q
        assert answer.json()["error"]["code"] == "VALIDATION_FAILED"


async def test_no_character_reaches_the_index_as_syntax(garden: Library) -> None:
    for q in SYNTAX:
        answer = await garden.http.get("/api/search", params={"q": q})
        assert answer.status_code in (200, 400), q


async def test_the_index_is_filled_from_where_it_was_left(tmp_path: Path) -> None:
    async with library(tmp_path / "ccod.db") as house:
        await house.add(*(house.said("user", f"fern {number} {'x ' * 40_000}") for number in range(6)), index=False)
        assert await house.hits("fern") == []
        assert await house.storage.maintain(house.observatory.health) is not None
        while not (some := await house.hits("fern")):
            assert await house.storage.maintain(house.observatory.health) is not None
        assert len(some) < 6
    async with library(tmp_path / "ccod.db") as house:
        await house.index()
        assert len(await house.hits("fern")) == 6
        progress = house.observatory.health.tasks["search"]
        assert progress.done == progress.total


async def test_an_index_that_was_emptied_fills_again(garden: Library) -> None:
    with garden.storage._database.writer.begin() as connection:
        indexing.reset(connection)
    assert await garden.hits("rose") == []
    await garden.add(garden.said("user", "another rose"))
    assert len(await garden.hits("rose")) == 3


async def test_a_filter_that_nothing_passes_ends_in_bounded_work(
    house: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ccod_sql.search.CANDIDATES", 5)
    await house.add(*(house.said("user", f"moss {number}") for number in range(12)))
    data = (await house.get("/api/search", q="moss role:assistant"))["data"]
    assert data["hits"] == []
    cursors = []
    while data["nextCursor"]:
        cursors.append(data["nextCursor"])
        data = (await house.get("/api/search", q="moss role:assistant", cursor=cursors[-1]))["data"]
    assert len(cursors) == 2


def test_a_search_is_taken_apart() -> None:
    typed = take_apart('fix "the bug" tool:Bash project:"my house" "open')
    assert typed.terms == ["fix", "the bug", "open"]
    assert typed.filters == {"tool": "Bash", "project": "my house"}


@given(st.text(max_size=300))
def test_taking_apart_never_fails_otherwise(text: str) -> None:
    try:
        assert take_apart(text).terms
    except SearchError:
        return


def test_a_snippet_begins_shortly_before_its_first_match() -> None:
    cut = snippet("lorem " * 1000 + "Café\u0301  au\nlait" + " ipsum" * 1000, ["cafe\u0301", "au lait"])
    assert len(cut.text) == LONGEST
    assert cut.matches[0].start < 70
    start, length = cut.matches[-1].start, cut.matches[-1].length
    assert cut.text[start : start + length] == "au lait"


@given(st.text(), st.lists(st.text(min_size=1), min_size=1, max_size=4))
def test_matches_lie_within_the_snippet(text: str, terms: list[str]) -> None:
    cut = snippet(text, terms)
    assert len(cut.text) <= LONGEST
    assert all(match.start >= 0 and match.start + match.length <= len(cut.text) for match in cut.matches)
    assert cut.text.isprintable()
