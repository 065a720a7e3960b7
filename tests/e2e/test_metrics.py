"""What a real daemon exposes to Prometheus: the right figures, to the right people."""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio

from ccod.testing.waiting import eventually
from tests.e2e.access import API
from tests.e2e.daemon import Daemon, open_daemon, run_ccod
from tests.e2e.home import Home, replaced
from tests.e2e.lines import answer, line
from tests.e2e.test_usage import MICROS, write_transcripts
from tests.guide import example
from tests.plugins.metrics.scraping import Scrape

DOCS = API.parent
MODEL = "claude-sonnet-4-5-20250929"
SECRET = "hunter2"
OPENMETRICS = {"Accept": "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"}


@asynccontextmanager
async def scraped(daemon: Daemon) -> AsyncIterator[httpx.AsyncClient]:
    url = (await daemon.logged("listening too"))["url"]
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=20) as client:
        yield client


async def scrape(client: httpx.AsyncClient, **headers: str) -> Scrape:
    found = await client.get("/metrics", headers=headers)
    assert found.status_code == 200, found.text
    return Scrape(found.text, is_openmetrics="openmetrics" in found.headers["Content-Type"])


async def stored(daemon: Daemon, count: int) -> None:
    """Wait until `count` records are stored: figures that are asked for earlier are kept for some seconds."""

    async def done() -> bool:
        return bool(sum(each["count"] for each in (await daemon.get("/api/record-types"))["data"]) == count)

    await eventually(done, f"{count} records", seconds=40)


async def test_figures_of_a_known_history_are_right(tmp_path: Path) -> None:
    async with open_daemon(tmp_path) as daemon:
        write_transcripts(daemon.home.root)
        await stored(daemon, 11)
        async with scraped(daemon) as client:
            found = await scrape(client)
            assert found.sum("claude_code_session_count_total") == 2
            tokens = {
                kind: found.sum("claude_code_token_usage_tokens_total", type=kind, model=MODEL)
                for kind in ("input", "output", "cacheRead", "cacheCreation")
            }
            assert tokens == {"input": 3000, "output": 300, "cacheRead": 30_000, "cacheCreation": 0}
            assert found.sum("claude_code_cost_usage_USD_total", model=MODEL) == pytest.approx(3 * MICROS / 1e6)
            assert found.sum("claude_code_cost_usage_USD_total", model="who-knows-7") == 0
            assert found.sum("ccod_unpriced_responses", model="who-knows-7") == 1
            assert found.sum("ccod_ingest_entries_total", source="claude", type="assistant") == 8
            assert found.sum("ccod_ingest_entries_total", source="claude", type="user") == 3
            assert found.sum("ccod_ingest_lag_seconds_count") >= 3
            assert found.sum("ccod_backfill_ratio") == 1
            assert found.sum("ccod_watch_files") == 3
            assert found.sum("ccod_watch_roots") == 1
            assert found.sum("ccod_watch_watcher") == 1
            assert found.sum("ccod_db_query_duration_seconds_count", op="append") >= 3
            assert found.sum("ccod_db_file_bytes") > 0
            storage = daemon.home.variables.get("CCOD_STORAGE", "sqlite")
            assert found.sum("ccod_plugin_hook_duration_seconds_count", hook="ccod_storage", plugin=storage) == 1
            assert found.sum("ccod_services_unwell") == found.sum("ccod_plugin_errors_total") == 0

            before = {(s.name, *sorted(s.labels.items())): s.value for s in found.samples if "_code_" in s.name}
            await daemon.restart()
        async with scraped(daemon) as client:
            after = (await scrape(client)).samples
            assert {(s.name, *sorted(s.labels.items())): s.value for s in after if "_code_" in s.name} == before


async def test_requests_and_sockets_are_counted(daemon: Daemon) -> None:
    async with scraped(daemon) as client, daemon.websocket("conversations") as listener:
        (daemon.home.root / "-x").mkdir()
        (daemon.home.root / "-x" / "0b1e2f3a-4c5d-4e6f-8a9b-0c1d2e3f4a5b.jsonl").write_bytes(line("hello"))
        await listener.event("message_added")
        for _ in range(3):
            await daemon.get("/api/projects")
        await daemon.status(f"/api/projects/{SECRET}")
        await daemon.status(f"/{SECRET}")
        found = await scrape(client)
        counted = "ccod_http_request_duration_seconds_count"
        assert found.sum(counted, method="GET", route="/api/projects", status="200") == 3
        assert found.sum(counted, method="GET", route="/api/projects/<project_id>", status="404") == 1
        assert found.sum(counted, method="GET", route="unmatched", status="404") == 1
        assert not found.all(counted, route="/ws")
        assert found.sum("ccod_ws_connections", kind="websocket") == 1
        assert found.sum("ccod_ws_messages_total", channel="conversations") >= 2
        others = sum(each.endswith(("ccod_transports", "ccod_sinks")) for each in replaced().get("asked", ()))
        assert found.sum("ccod_bus_subscribers") == 1 + others


async def test_hostile_transcripts_make_no_labels(daemon: Daemon) -> None:
    lines = [line(SECRET, type=f"{SECRET}-{number}", version=f"{SECRET} {number}") for number in range(300)]
    lines += [answer(SECRET).replace(MODEL.encode(), f"{SECRET}\\n{number}".encode()) for number in range(100)]
    lines += [answer(SECRET, version=f"9.{number}").replace(MODEL.encode(), b"m%d" % number) for number in range(100)]
    lines += [b"{broken\n"]
    (daemon.home.root / SECRET).mkdir()
    (daemon.home.root / SECRET / "0b1e2f3a-4c5d-4e6f-8a9b-0c1d2e3f4a5b.jsonl").write_bytes(b"".join(lines))
    await stored(daemon, 500)
    async with scraped(daemon) as client:
        text = (await client.get("/metrics")).text
        found = Scrape(text)
        assert SECRET not in text
        assert found.sum("ccod_ingest_entries_total", type="unknown") == 300
        assert found.sum("ccod_parse_errors_total", parser="claude") == 1
        models = found.values("claude_code_cost_usage_USD_total", "model")
        assert "other" in models
        assert len(models) <= 65
        assert found.sum("claude_code_token_usage_tokens_total", type="output") == 200 * 5
        assert len(text) < 200_000


async def test_who_may_read(tmp_path: Path, daemon: Daemon) -> None:
    async with scraped(daemon) as client:
        port = client.base_url.port or 0
        allowed = {f"localhost:{port}", "127.0.0.1", f"[::1]:{port}"}
        for host in [*allowed, "evil.example", f"evil.example:{port}", "0.0.0.0", f"localhost:{port + 1}", ""]:
            got = await client.get("/metrics", headers={"Host": host})
            assert got.status_code == (200 if host in allowed else 421), host
            assert ("ccod_" in got.text) == (host in allowed)
        for headers in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
            assert (await client.get("/metrics", headers=headers)).status_code == 403
        stranger = await client.get("/metrics", headers={"Authorization": "Bearer nonsense"})
        assert stranger.status_code == 401
        proxied = await client.get("/metrics", headers={"X-Forwarded-For": "203.0.113.9"})
        assert proxied.status_code == 401
        assert '[metrics] access = "loopback"' in proxied.json()["error"]["message"]
        assert (await client.get("/health")).status_code == 404
        assert (await client.post("/metrics")).status_code == 405
        assert await daemon.status("/metrics") == 404
        assert "Content-Security-Policy" in stranger.headers

        other = Home(tmp_path / "other", {"metrics": {"port": port}})
        code, said = await run_ccod(other, "serve", "--config", str(other.config))
        assert code == 69
        refusal = rf"ccod: \[metrics\] port: {port} is in use by process {daemon.process.pid} .* --set metrics.port=N"
        assert re.fullmatch(refusal, said.splitlines()[-1])
        assert "Traceback" not in said


async def test_all_that_is_exposed_is_sound_and_documented(tmp_path: Path) -> None:
    async with open_daemon(tmp_path, start=False) as daemon:
        if DOCS.is_dir():
            daemon.home.install("beats", example("beats"))
        await daemon.start()
        async with scraped(daemon) as client:
            plain, wanted = await client.get("/metrics"), await client.get("/metrics", headers=OPENMETRICS)
            assert plain.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
            assert wanted.headers["Content-Type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
            found = Scrape(plain.text)
            assert Scrape(wanted.text, is_openmetrics=True).families.keys() == found.families.keys()
    assert all(family.documentation.endswith(".") for family in found.families.values())
    forbidden = {"session", "session_id", "user", "user_id", "path", "file", "project", "conversation"}
    assert forbidden.isdisjoint(found.labels)
    if DOCS.is_dir():
        assert found.sum("ccod_beats_total") >= 1
        documented = set(re.findall(r"`((?:ccod|claude_code|process)_\w+)`", (DOCS / "metrics.md").read_text()))
        exposed = found.names - {"ccod_beats_total"}
        missing = {"lines_of_code_count", "commit_count", "pull_request_count"}
        assert documented - {f"claude_code_{name}_total" for name in missing} - {"ccod_sources"} == exposed
        assert_known((DOCS.parent / "contrib").rglob("*.json"), found)
        assert_known((DOCS.parent / "contrib" / "prometheus").iterdir(), found)
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed; all else was checked")
    checked = await trio.run_process(
        [promtool, "check", "metrics"], stdin=plain.content, capture_stdout=True, capture_stderr=True, check=False
    )
    assert (checked.returncode, checked.stderr) == (0, b"")


def assert_known(files: Any, found: Scrape) -> None:
    """Check that files query nothing that is not exposed."""
    known = found.names | {f"{name}_{part}" for name in found.names for part in ("bucket", "count", "sum")}
    for file in files:
        used = set(re.findall(r"\b(?:ccod|claude_code|process)_\w+", file.read_text()))
        assert used <= known, f"{file}: {used - known}"
