"""The plugin of the guide, as a package of somebody else's in a real daemon."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from tests.e2e.access import API
from tests.e2e.daemon import open_daemon
from tests.guide import example

if not API.exists():
    pytest.skip("the guide is in the source tree", allow_module_level=True)


async def test_routes_and_middleware_of_a_third_party_join(tmp_path: Path) -> None:
    socket = tmp_path / "ccod.sock"
    async with open_daemon(tmp_path, {"http": {"socket": str(socket)}}, start=False) as daemon:
        for plugin in ("notes", "timing"):
            daemon.home.install(plugin, example(plugin))
        await daemon.start()
        transport = httpx.AsyncHTTPTransport(uds=str(socket))
        async with (
            httpx.AsyncClient(base_url=daemon.url, trust_env=False) as owner,
            httpx.AsyncClient(base_url=daemon.url, transport=transport) as admin,
        ):
            assert (await owner.put("/api/notes/1", json={"text": "x"})).status_code == 401
            assert (await admin.put("/api/notes/1", json={"text": "x" * 501})).status_code == 422
            assert (await admin.put("/api/notes/1", json={"text": "x"})).json()["data"] == {"id": "1", "text": "x"}
            listed = await owner.get("/api/notes")
            assert listed.json()["data"] == [{"id": "1", "text": "x"}]
            assert listed.json()["pagination"]["total"] == 1
            assert (await admin.delete("/api/notes/1")).status_code == 204
            gone = await admin.delete("/api/notes/1")
            assert gone.status_code == 404
            for answer in (listed, gone, await owner.get("/nowhere")):
                assert answer.headers["Server-Timing"].startswith("ccod;dur=")
                assert answer.headers["X-Content-Type-Options"] == "nosniff"
            paths = (await owner.get("/openapi.json")).json()["paths"]
            assert paths["/api/notes/{note_id}"]["put"]["summary"] == "Write a note."
            assert "/api/notes" in (await owner.get("/docs")).text
