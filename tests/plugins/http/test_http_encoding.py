"""Whatever a transcript held, what goes out is JSON; and times are written and read alike."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccod import Block, Content
from ccod_http.encoding import encode
from ccod_http.times import iso, parse_time

any_text = st.text(st.characters(exclude_categories=()))
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | any_text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(any_text, inner, max_size=4),
)


def strict(data: bytes) -> Any:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    return json.loads(data.decode("utf-8"), parse_constant=refuse)


@given(anything)
def test_anything_encodes_to_strict_utf8_json(value: Any) -> None:
    strict(encode(value))
    shown = strict(encode(Content("t", [Block("toolUse", input=value, id="1")])))
    assert set(shown["blocks"][0]) - {"input"} == {"type", "id"}


def test_halves_of_characters_are_joined_or_replaced() -> None:
    assert strict(encode(["\ud83d\ude00", "a\ud83db", {"\udfff": 1}])) == ["😀", "a\ufffdb", {"\ufffd": 1}]


def test_what_is_too_deep_is_cut() -> None:
    deep: Any = "core"
    for _ in range(100_000):
        deep = {"in": deep}
    assert b"core" not in encode({"before": 1, "deep": deep})
    assert encode({"before": 1, "deep": deep}).startswith(b'{"before":1')


@given(st.integers(0, 253_402_300_799_999))
def test_a_time_reads_as_it_was_written(ms: int) -> None:
    assert parse_time(iso(ms)) == ms


@given(st.integers())
def test_no_time_is_too_odd_to_write(ms: int) -> None:
    assert len(iso(ms)) == len("2023-01-01T00:00:00.000Z")


@pytest.mark.parametrize(
    ("text", "end", "ms"),
    [
        ("1672531200000", False, 1_672_531_200_000),
        ("2023-01-01", False, 1_672_531_200_000),
        ("2023-01-01", True, 1_672_617_599_999),
        ("2023-01-01T00:00:00", True, 1_672_531_200_000),
        ("2023-01-01T01:00:00.5+01:00", False, 1_672_531_200_500),
        ("1969-12-31", False, 0),
        ("0001-01-01T00:00:00+23:00", True, 0),
    ],
)
def test_dates_date_times_and_milliseconds_are_times(text: str, end: bool, ms: int) -> None:
    assert parse_time(text, end=end) == ms


@pytest.mark.parametrize(
    "text", ["", "soon", "2023-13-01", "-1", "1e3", "NaN", "9" * 5000, "١٢٣", "0000-01-01", "10000-01-01"]
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises((ValueError, OverflowError)):
        parse_time(text)
