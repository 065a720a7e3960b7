"""The bench of the REST API asks a real daemon for every route, and says what each cost."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench import rest
from tests.bench.corpus import SEED
from tests.e2e.access import API, documented

if not API.exists():
    pytest.skip("the table of routes is in the source tree", allow_module_level=True)

NO_LISTS = {
    "/api/events",  # a stream without end
    "/api/keys",
    "/api/conversations/{conversation_id}/attachments/{attachment_id}",
    "/api/conversations/{conversation_id}/export",
    "/docs",
    "/openapi.json",
    "/asyncapi.json",
    "/health/ready",
    "/auth/profile",
    "/livez",
}


async def test_every_route_that_shows_what_is_stored_is_measured(tmp_path: Path) -> None:
    await rest.prepare(tmp_path, 300_000, SEED, pages=3)
    found = await rest.measure(tmp_path, "S", pages=3, turns=1, seconds=0)
    names = {route.name for route in found}
    wanted = {
        each.path.replace("{conversation_id}", ":id").replace("{project_id}", ":id")
        for each in documented()
        if each.method == "GET" and each.access in {"read", "public"} and each.path not in NO_LISTS
    }
    assert {path for path in wanted if not any(name.startswith(path) for name in names)} == set()
    assert {"long messages, page 3", "long messages, page 3 by cursor", "/api/conversations, 304"} <= names
    for route in found:
        for speed in (route.one, route.four):
            assert 0 < speed.p50 <= speed.p99
            assert 0 <= speed.inside_p99 <= speed.p99
            assert speed.share > 0
    assert len(rest.lines(found)) == len(found) + 3
