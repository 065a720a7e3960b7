"""Days, weeks and months as people count them, in their time zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccod import QUARTER_MS
from ccod_http.times import epoch_ms
from ccod_http.web import Problem
from ccod_rest.ranges import END_OF_TIME, Range, RangeParameters, read_range

HOUR = 3_600_000
DAY = 24 * HOUR
ZONES = ["UTC", "Europe/Berlin", "America/Los_Angeles", "Asia/Kathmandu", "Australia/Lord_Howe", "America/Sao_Paulo"]


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


def days(zone: str, first: str, last: str, unit: str = "day", **asked: str) -> list[tuple[str, int]]:
    """Return the names of days and their hours, where there are figures from `first` to before `last`."""
    found = read_range(RangeParameters(timezone=zone, **asked), (at(first), at(last)))  # type: ignore[arg-type]
    edges = found.edges(unit)  # type: ignore[arg-type]
    return [(found.name(start, unit), (end - start) // HOUR) for start, end in pairwise(edges)]  # type: ignore[arg-type]


def test_days_are_as_long_as_clocks_make_them() -> None:
    assert days("Europe/Berlin", "2026-03-28T12:00", "2026-03-30T12:00") == [
        ("2026-03-28", 24),
        ("2026-03-29", 23),
        ("2026-03-30", 24),
    ]
    assert days("Europe/Berlin", "2026-10-24T23:00", "2026-10-25T12:00") == [("2026-10-25", 25)]
    assert days("Asia/Kathmandu", "2026-01-01T18:15", "2026-01-01T18:30") == [("2026-01-02", 24)]
    # Clocks go on from midnight to one: the day begins at one. And back from midnight to eleven: the day has 25 hours.
    assert days("America/Sao_Paulo", "2018-11-03T03:00", "2018-11-04T04:00") == [("2018-11-03", 24), ("2018-11-04", 23)]
    assert days("America/Sao_Paulo", "2018-02-17T12:00", "2018-02-17T13:00") == [("2018-02-17", 25)]
    # Samoa went over the date line and left out a day.
    assert [name for name, _ in days("Pacific/Apia", "2011-12-30T09:00", "2011-12-30T11:00") if _] == [
        "2011-12-29",
        "2011-12-31",
    ]


def test_weeks_begin_on_monday_and_months_on_the_first() -> None:
    assert days("UTC", "2026-12-31T00:00", "2027-01-05T00:00", "week") == [("2026-W53", 168), ("2027-W01", 168)]
    assert days("Europe/Berlin", "2026-02-28T23:30", "2026-03-31T22:30", "month") == [
        ("2026-03", 31 * 24 - 1),
        ("2026-04", 30 * 24),
    ]


def test_what_is_asked_for_cuts_the_first_and_the_last() -> None:
    asked = {"startDate": "2026-02-10T12:20", "endDate": "2026-02-11"}
    named = {"start_date": asked["startDate"], "end_date": asked["endDate"]}
    found = read_range(RangeParameters(timezone="Europe/Berlin", **named), (at("2026-01-01"), at("2026-12-31")))  # type: ignore[arg-type]
    assert (found.start, found.end) == (at("2026-02-10T11:15"), at("2026-02-11T23:00"))
    assert found.edges("day") == [at("2026-02-10T11:15"), at("2026-02-10T23:00"), at("2026-02-11T23:00")]
    assert found.edges("month") == [at("2026-02-10T11:15"), at("2026-02-11T23:00")]
    assert days("UTC", "2026-01-01", "2026-01-02", start_date="2027-01-01") == []
    assert days("UTC", "2026-01-01", "2026-01-02", end_date="2025-01-01") == []
    assert days("UTC", "2026-01-01", "2026-01-02", start_date="1970-01-01", end_date="9999-12-31") == [
        ("2026-01-01", 24)
    ]


def test_named_ranges_end_now() -> None:
    now = epoch_ms()
    last_day = read_range(RangeParameters("24h"), None)
    assert now - DAY - QUARTER_MS <= last_day.start <= epoch_ms() - DAY
    assert now <= last_day.end <= epoch_ms() + QUARTER_MS
    week = read_range(RangeParameters("7d", timezone="Asia/Kathmandu"), (0, now + DAY))
    assert len(week.edges("day")) == 8
    assert read_range(RangeParameters("all"), None).start == 0


@pytest.mark.parametrize(
    "asked",
    [
        RangeParameters(timezone="Mars/Olympus"),
        RangeParameters(timezone="Europe"),
        RangeParameters(timezone="../UTC"),
        RangeParameters(timezone="\0"),
        RangeParameters("7d", start_date="2026-01-01"),
        RangeParameters(start_date="2026-01-02", end_date="2026-01-01"),
        RangeParameters(start_date="2026-02-30"),
    ],
)
def test_mistakes_are_told(asked: RangeParameters) -> None:
    with pytest.raises(Problem) as raised:
        read_range(asked, None)
    assert raised.value.status == 400


@given(
    st.sampled_from(ZONES),
    st.integers(40 * 96, 20_000 * 96),
    st.integers(1, 400 * 96),
    st.sampled_from(["day", "week"]),
)
def test_every_moment_is_in_the_day_that_its_clock_shows(zone: str, first: int, length: int, unit: str) -> None:
    """Whatever the zone, days join up, and each begins where the date changes."""
    start, end = first * QUARTER_MS, (first + length) * QUARTER_MS
    found = Range(0, END_OF_TIME, start, end, ZoneInfo(zone))
    edges = found.edges(unit)  # type: ignore[arg-type]
    assert edges == sorted(edges)
    assert edges[0] <= start
    assert edges[-1] >= end
    for one, other in pairwise(edges):
        day = datetime.fromtimestamp(one / 1000, UTC).astimezone(ZoneInfo(zone))
        last = datetime.fromtimestamp((other - 1) / 1000, UTC).astimezone(ZoneInfo(zone))
        assert (last.date() - day.date()) == timedelta(days=0 if unit == "day" else 6)
        assert unit == "day" or day.weekday() == 0
