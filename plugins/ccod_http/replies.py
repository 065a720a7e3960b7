"""The envelope of an answer that went well."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Generic, TypeVar
from urllib.parse import quote, urlencode

from msgspec import UNSET, Struct, UnsetType
from quart import Response

from ccod_http.encoding import encode
from ccod_http.problems import current

T = TypeVar("T")


class Pagination(Struct, frozen=True, rename="camel"):
    """Which page of how many. `nextCursor` is null at the end; with a cursor the number of the page is not known."""

    page: int | None
    limit: int
    total: int
    pages: int
    has_next: bool
    has_prev: bool
    next_cursor: str | UnsetType | None = UNSET


class Paged(Struct, Generic[T], frozen=True):
    """What a route answers with that gives its data a page at a time."""

    data: T
    pagination: Pagination


class Success(Struct, frozen=True, kw_only=True):
    success: bool = True
    data: Any
    pagination: Pagination | UnsetType = UNSET


def ok(data: Any, pagination: Pagination | None = None, status: int = 200) -> Response:
    """Answer with `data` in the envelope."""
    body = encode(Success(data=data, pagination=pagination or UNSET))
    response = Response(body, status, content_type="application/json")
    if pagination is not None:
        response.headers["Link"] = ", ".join(_links(pagination))
    return response


def _links(pagination: Pagination) -> Iterator[str]:
    """Yield links to other pages of the list that the current request asks for (RFC 8288)."""
    yield _link("first")
    if pagination.page is not None and pagination.page > 1:
        yield _link("prev", page=str(pagination.page - 1))
    if pagination.next_cursor:
        yield _link("next", cursor=pagination.next_cursor)
    elif pagination.has_next and pagination.page is not None:
        yield _link("next", page=str(pagination.page + 1))


def _link(relation: str, **where: str) -> str:
    asked = current()
    same = {name: value for name, value in asked.args.items() if name not in {"page", "cursor"}}
    return f'<{quote(asked.path)}?{urlencode(same | where)}>; rel="{relation}"'
