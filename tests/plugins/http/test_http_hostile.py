"""Every request of the table of hostile ones is answered as it should be, and the server goes on serving."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

import pytest

from tests.plugins.http.hostile import GROUPS, Row
from tests.plugins.http.serving import Server


@pytest.mark.parametrize("rows", GROUPS.values(), ids=GROUPS)
async def test_hostile_requests_are_answered_in_the_envelope(server: Server, rows: Mapping[str, Row]) -> None:
    wrong: list[str] = []
    async with server.client() as client:
        for name, (parts, status) in rows.items():
            answer = await server.say(*parts)
            wrong += (f"{name[:80]}: {fault}" for fault in faults(answer, status))
        assert (await client.get("/health")).status_code == 200
    assert not wrong, "\n".join(wrong)


def faults(answer: bytes, status: int) -> Iterator[str]:
    head, _, body = answer.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 %d " % status):
        yield f"answered {head[:40]!r} instead of {status}"
    if status >= 400:
        try:
            problem = json.loads(body)
            if (problem["success"], problem["status"], bool(problem["requestId"])) != (False, status, True):
                yield f"no envelope: {body[:80]!r}"
        except (ValueError, KeyError, TypeError):
            yield f"no envelope: {body[:80]!r}"
