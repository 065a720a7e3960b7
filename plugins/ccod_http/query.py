"""Query parameters, checked against a struct: a field is a parameter, its type says what is valid."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from datetime import UTC, tzinfo
from functools import cache
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import FieldInfo, replace

from ccod import Key
from ccod_http.cursors import read_cursor, write_cursor
from ccod_http.problems import Problem, current
from ccod_http.replies import Paged, Pagination
from ccod_http.times import parse_time

S = TypeVar("S", bound=Struct)
T = TypeVar("T")


Moment = Annotated[
    str,
    Meta(
        description="A date, a date-time (UTC where it names no zone) or epoch milliseconds.",
        extra_json_schema={"anyOf": [{"format": "date"}, {"format": "date-time"}, {"pattern": r"^\d{1,14}$"}]},
    ),
]
"""A time as clients write it; `query_time` reads it."""


class NoParameters(Struct):
    """The parameters of a route that takes none."""


class Paging(Struct, rename="camel"):
    """The parameters of a list that comes in pages; a subclass adds its own, or another `limit`."""

    page: Annotated[int, Meta(ge=1, le=1_000_000_000, description="Which page.")] = 1
    limit: Annotated[int, Meta(ge=1, le=100, description="How many items a page holds.")] = 20

    @property
    def offset(self) -> int:
        return (self.page - 1) * self.limit

    def paged(self, data: T, total: int) -> Paged[T]:
        """Answer with this page of `total` items."""
        pages = -(-total // self.limit)
        pagination = Pagination(
            page=self.page,
            limit=self.limit,
            total=total,
            pages=pages,
            has_next=self.page < pages,
            has_prev=self.page > 1,
        )
        return Paged(data, pagination)


class Listing(Paging):
    """The parameters of a list of which a storage gives what follows a key: it has pages, and cursors."""

    cursor: Annotated[
        Annotated[str, Meta(min_length=1, max_length=4096)] | None,
        Meta(description="Where to go on: `nextCursor` of the last answer, instead of `page`."),
    ] = None

    @property
    def offset(self) -> int:
        return 0 if self.cursor is not None else super().offset

    @property
    def after(self) -> Key | None:
        """The key behind which the list goes on."""
        if self.cursor is None:
            return None
        if "page" in current().args:
            raise invalid("cursor", "is given together with 'page'; one of them says where to go on")
        return read_cursor(self.cursor)

    def listed(self, data: T, total: int, follows: Key | None) -> Paged[T]:
        """Answer with these of `total` items; `follows` is the key of the last of them where there are more."""
        pagination = self.paged(data, total).pagination
        cursor = None if follows is None else write_cursor(follows)
        pagination = replace(pagination, has_next=cursor is not None, next_cursor=cursor)
        if self.cursor is not None:
            pagination = replace(pagination, page=None, has_prev=True)
        return Paged(data, pagination)


def read_query(schema: type[S]) -> S:
    """Return the parameters of the current request, or raise a Problem that names the wrong one."""
    fields = _fields(schema)
    names = [field.encode_name for field in fields]
    for name, values in current().args.lists():
        if name not in names:
            raise invalid(name, "is unknown" + _hint(name, names))
        if len(values) > 1:
            raise invalid(name, "is given more than once")
    for field in fields:
        if field.required and field.encode_name not in current().args:
            raise invalid(field.encode_name, "is missing")
    try:
        parameters = msgspec.convert(current().args.to_dict(), schema, strict=False)
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at `$.")
        raise invalid(path.rstrip("`"), f"is wrong: {reason}") from None
    for field in fields:
        if field.encode_name in current().args and getattr(parameters, field.name) is None:
            raise invalid(field.encode_name, "is wrong: leave it out if it is meant to be nothing")  # not the word null
    return parameters


@cache
def _fields(schema: type[Struct]) -> Sequence[FieldInfo]:
    """Return the fields of a route's parameters; to find them out anew took a third of what a request takes."""
    return msgspec.structs.fields(schema)


def query_time(name: str, text: str | None, *, end: bool = False, zone: tzinfo = UTC) -> int | None:
    """Read the parameter `name` as a time; a date alone is its first millisecond, or its last where `end` is set.

    Where it names no zone, it is in `zone`.
    """
    if text is None:
        return None
    try:
        return parse_time(text, end=end, zone=zone)
    except (ValueError, OverflowError):
        expected = "an ISO date or date-time such as 2023-01-01T00:00:00Z (a + is %2B in a URL), or epoch milliseconds"
        raise invalid(name, f"is wrong: expected {expected}") from None


def invalid(name: str, problem: str) -> Problem:
    """Return the Problem of one wrong parameter."""
    shown = re.sub(r"[^\w.\-\[\]]", "?", name[:64])
    details = [{"parameter": shown, "problem": problem}]
    return Problem(400, "VALIDATION_FAILED", f"Parameter {shown!r} {problem}.", details)


def _hint(name: str, names: list[str]) -> str:
    near = difflib.get_close_matches(name[:64], names, n=1)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; known are: {', '.join(names) or 'none'}"
