"""The envelope of an answer that went well."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from msgspec import UNSET, Struct, UnsetType
from quart import Response

from ccod_http.encoding import encode

T = TypeVar("T")


class Pagination(Struct, frozen=True, rename="camel"):
    """Which page of how many."""

    page: int
    limit: int
    total: int
    pages: int
    has_next: bool
    has_prev: bool


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
    return Response(body, status, content_type="application/json")
