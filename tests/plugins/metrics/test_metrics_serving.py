"""The settings, the forms in which figures are given, and who is let in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import structlog
import trio

from ccod import Bus, Health, Observatory, Settings
from ccod.configuration import Configuration
from ccod.settings import CoreSettings
from ccod.testing.shelf import Shelf
from ccod_jwt.auth import JwtAuth
from ccod_jwt.settings import JwtSettings
from ccod_metrics import ccod_transports
from ccod_metrics.settings import MetricsSettings
from tests.plugins.http.serving import SECRET, do_at_once
from tests.plugins.metrics.scraping import Scrape

PLAIN = "text/plain; version=0.0.4; charset=utf-8"
OPEN = "application/openmetrics-text; version=1.0.0; charset=utf-8"
PROMETHEUS = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;"
    "q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)


@asynccontextmanager
async def exposing(**changed: Any) -> AsyncIterator[httpx.AsyncClient]:
    shelf = Shelf()
    settings = Settings(CoreSettings(), {MetricsSettings: msgspec.convert({"port": 0} | changed, MetricsSettings)})
    async with JwtAuth(JwtSettings(secret=SECRET), shelf) as auth, trio.open_nursery() as nursery:
        observatory = Observatory(shelf, auth, Bus(), Health(), {}, trio.Event(), lambda *_, **__: [], do_at_once)
        observatory.metrics.counter("ccod_x_total", "X.").inc()
        (transport,) = ccod_transports(settings, observatory)
        with structlog.testing.capture_logs() as logs:
            await nursery.start(transport.run)
        url = next(entry["url"] for entry in logs if entry["event"] == "listening too")
        async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
            yield client
        observatory.stopping.set()


@pytest.mark.parametrize(
    ("accept", "given"),
    [
        ("*/*", PLAIN),
        ("", PLAIN),
        ("text/plain", PLAIN),
        ("text/html,application/xhtml+xml,*/*;q=0.8", PLAIN),
        ("application/openmetrics-text", OPEN),
        ("application/openmetrics-text;q=0.2,text/plain;q=0.8", PLAIN),
        ("application/openmetrics-text;version=hostile;q=x", PLAIN),
        ("application/openmetrics-text;version=9.9.9", OPEN),
        (PROMETHEUS, OPEN),
    ],
)
async def test_the_form_is_that_which_the_reader_likes_best(accept: str, given: str) -> None:
    async with exposing() as client:
        answer = await client.get("/metrics", headers={"Accept": accept})
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, given)
        assert Scrape(answer.text, is_openmetrics=given == OPEN).sum("ccod_x_total") == 1


@pytest.mark.parametrize(("access", "status"), [("owner", 200), ("loopback", 200), ("login", 401)])
async def test_who_needs_a_token(access: str, status: int) -> None:
    async with exposing(access=access) as client:
        assert (await client.get("/metrics")).status_code == status


def test_the_seed_s_variables_act(tmp_path: Path) -> None:
    environ = {"ENABLE_METRICS": "false", "METRICS_PORT": "9100", "XDG_CONFIG_HOME": str(tmp_path)}
    found = Configuration(None, environ).settings({"metrics": MetricsSettings})
    assert found[MetricsSettings] == MetricsSettings(enabled=False, port=9100)
    observatory = Observatory(
        Shelf(),
        JwtAuth(JwtSettings(secret=SECRET), Shelf()),
        Bus(),
        Health(),
        {},
        trio.Event(),
        lambda *_, **__: [],
        do_at_once,
    )
    assert ccod_transports(found, observatory) == []
