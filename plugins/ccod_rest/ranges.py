"""Which time is asked for, and its days, weeks and months as people in some time zone count them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Literal, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Meta, Struct

from ccod import QUARTER_MS
from ccod_http.web import Listing, Moment, Problem, epoch_ms, invalid, query_time

Unit = Literal["day", "week", "month"]
Named = Literal["24h", "7d", "30d", "90d", "all"]

HOUR_MS = 3_600_000
END_OF_TIME = 253_370_764_800_000
"""The year 9999 begins: there are no dates behind it that could be told."""


Name = Annotated[Named | None, Meta(description="A time that ends now; days of which today is the last.")]
Start = Annotated[Moment | None, Meta(description="Only what was then or later, in quarters of an hour.")]
End = Annotated[Moment | None, Meta(description="Only what was until then; a date is all of its day.")]
Zone = Annotated[str, Meta(min_length=1, max_length=64, description="Where days begin, such as Europe/Berlin.")]
Project = Annotated[
    Annotated[str, Meta(min_length=1)] | None, Meta(description="Only what belongs to conversations of this project.")
]


class Ranged(Protocol):
    """Parameters that say which time is meant.

    `range` names a time that ends now: 24 hours, or so many days of which today is the last.
    """

    range: Name
    start_date: Start
    end_date: End
    timezone: Zone


class RangeParameters(Struct, rename="camel"):
    range: Name = None
    start_date: Start = None
    end_date: End = None
    timezone: Zone = "UTC"
    project_id: Project = None


class RangeListing(Listing):
    """The same, of a list: two structs have no common heir."""

    range: Name = None
    start_date: Start = None
    end_date: End = None
    timezone: Zone = "UTC"
    project_id: Project = None


class Range(Struct, frozen=True):
    """A time from `start` to before `end`, in a time zone. There are figures from `first` to before `last`.

    All four are multiples of `QUARTER_MS`.
    """

    start: int
    end: int
    first: int
    last: int
    zone: ZoneInfo

    def edges(self, unit: Unit) -> list[int]:
        """Return where its days, weeks or months begin and the last of them ends, as far as there are figures.

        Of the first and the last may be only a part asked for.
        """
        edges = []
        for edge in _beginnings(max(self.start, self.first), self.zone, unit):
            edges.append(min(max(edge, self.start), self.end))
            if edge >= min(self.last, self.end):
                break
        return edges

    def name(self, start: int, unit: Unit) -> str:
        """Return what the day, week or month is called in which `start` lies, as ISO 8601 writes it."""
        day = _day(start, self.zone)
        match unit:
            case "day":
                return day.isoformat()
            case "week":
                year, week, _ = day.isocalendar()
                return f"{year:04}-W{week:02}"
            case "month":
                return day.isoformat()[:7]


def read_range(asked: Ranged, figured: tuple[int, int] | None) -> Range:
    """Return which time is asked for; `figured` is that for which there are figures. Raises Problem."""
    zone = _zone(asked.timezone)
    if asked.range is not None and (asked.start_date is not None or asked.end_date is not None):
        raise invalid("range", "is given together with 'startDate' or 'endDate'; one of them says which time is meant")
    start, end = _named(asked.range, zone) if asked.range else _dated(asked, zone)
    first, last = (min(max(end, 0), END_OF_TIME) for end in figured or (0, 0))
    return Range(
        start=0 if start is None else _floor(start),
        end=END_OF_TIME if end is None else _floor(end + QUARTER_MS - 1),
        first=first,
        last=last,
        zone=zone,
    )


def _named(name: Named, zone: ZoneInfo) -> tuple[int | None, int | None]:
    now = epoch_ms()
    if name == "all":
        return None, None
    if name == "24h":
        return now - 24 * HOUR_MS, now
    days = int(name.removesuffix("d"))
    return _midnight(_day(now, zone) - timedelta(days=days - 1), zone), now


def _dated(asked: Ranged, zone: ZoneInfo) -> tuple[int | None, int | None]:
    start = query_time("startDate", asked.start_date, zone=zone)
    end = query_time("endDate", asked.end_date, end=True, zone=zone)
    if start is not None and end is not None and start > end:
        raise Problem(400, "VALIDATION_FAILED", "Parameter 'startDate' is after 'endDate'.")
    return start, None if end is None else end + 1


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise invalid("timezone", "is wrong: expected a name such as Europe/Berlin or UTC") from None


def _beginnings(start: int, zone: ZoneInfo, unit: Unit) -> Iterator[int]:
    """Yield when days, weeks or months begin, from that of `start` on without end."""
    day = _day(start, zone)
    if unit == "week":
        day -= timedelta(days=day.weekday())
    elif unit == "month":
        day = day.replace(day=1)
    while True:
        yield _floor(_midnight(day, zone))
        day = (day.replace(day=28) + timedelta(days=4)).replace(day=1) if unit == "month" else day + _STEP[unit]


_STEP = {"day": timedelta(days=1), "week": timedelta(weeks=1)}


def _day(ms: int, zone: ZoneInfo) -> date:
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone(zone).date()


def _midnight(day: date, zone: ZoneInfo) -> int:
    """Return when a day begins. Where clocks are turned at midnight, that is the first moment of the day."""
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()) * 1000


def _floor(ms: int) -> int:
    return ms - ms % QUARTER_MS
