"""What a request makes the daemon do again that it did for the one before: nothing that never changes."""

from __future__ import annotations

import sys
import typing
from collections.abc import Iterator
from contextlib import contextmanager
from types import CodeType, FrameType

import msgspec
import pytest

from tests.plugins.http.serving import Server
from tests.plugins.rest.test_rest_parameters import fill

FINDING_OUT: set[CodeType] = {msgspec.structs.fields.__code__, typing.get_type_hints.__code__}
"""What finds out of which fields and types a class consists: a third of a request's processor time, once."""


@contextmanager
def counted(codes: set[CodeType]) -> Iterator[list[str]]:
    """Note the names of the functions that this thread calls, of those that are asked for."""
    called: list[str] = []

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code in codes:
            called.append(frame.f_code.co_name)

    sys.setprofile(note)
    try:
        yield called
    finally:
        sys.setprofile(None)


@pytest.mark.parametrize(
    "path",
    [
        "/api/projects?limit=2",
        "/api/conversations?status=active",
        "/api/conversations/old",
        "/api/conversations/new/messages?limit=2&order=desc",
        "/api/conversations/old/entries",
        "/api/conversations/old/tool-calls",
        "/api/usage/daily",
        "/api/analytics/overview",
        "/health",
    ],
)
async def test_a_second_request_finds_out_nothing_of_types_again(server: Server, path: str) -> None:
    fill(server)
    async with server.client() as client:
        first = await client.get(path)
        with counted(FINDING_OUT) as called:
            second = await client.get(path)
    assert (first.status_code, second.status_code, called) == (200, 200, [])


def test_what_is_counted_is_seen() -> None:
    with counted(FINDING_OUT) as called:
        msgspec.structs.fields(msgspec.defstruct("Some", ["field"]))
    assert called == ["fields"]
