"""The plugin of the guide, as a package of somebody else's in a real daemon."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import httpx
import pytest
import trio

from ccod.testing.waiting import eventually
from tests.e2e.access import API
from tests.e2e.daemon import open_daemon
from tests.e2e.lines import line
from tests.e2e.running import run
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


RAISING = '''
"""Takes no event."""

from ccod import Sink, hookimpl


class Refusing(Sink):
    name = "refusing"

    async def __aexit__(self, *_):
        pass

    async def deliver(self, events):
        raise ValueError("no ear")


@hookimpl
def ccod_sinks():
    return [Refusing()]
'''


async def test_the_command_tells_what_failed_in_the_daemon(tmp_path: Path) -> None:
    async with open_daemon(tmp_path, start=False) as daemon:
        daemon.home.install("refusing", RAISING)
        await daemon.start()
        transcript = daemon.home.root / "-home-dev-demo" / "c1.jsonl"
        transcript.parent.mkdir()
        transcript.write_bytes(line("hello", session="c1"))

        async def plugins(*options: str) -> str:
            done = await trio.to_thread.run_sync(partial(run, daemon.home, "plugins", *options))
            assert done.returncode == 0, done.stderr
            return done.stdout

        async def told() -> str:
            listed = json.loads(await plugins("--json"))["plugins"]
            return {each["name"]: str(each["lastError"]) for each in listed}["refusing"]

        await eventually(told, "the error of the sink")
        assert "no ear" in await told()
        assert "refusing: its last error in the daemon: sink refusing: " in await plugins()
        mended = RAISING.replace('raise ValueError("no ear")', "pass")
        await trio.Path(tmp_path / "plugins" / "ccod_refusing.py").write_text(mended)
        await daemon.terminate()
        await daemon.start()

        async def none_told() -> bool:
            return not await told()

        await eventually(none_told, "a daemon without errors")
