"""Health in the README's shape, for everybody; why something is not well, for the owner alone."""

from __future__ import annotations

from typing import Any

import pytest

from ccod import Progress, __version__
from ccod.health import State
from tests.plugins.http.serving import Server

STRANGER = {"X-Forwarded-For": "10.0.0.1"}


def set_up(server: Server, **states: State) -> None:
    server.health.set("storage", states.get("storage", "running"), "disk full")
    server.health.set("source claude", states.get("source", "running"))
    server.health.set("transport http", "running")
    server.health.set("transport ws", states.get("ws", "running"))


async def health(server: Server, path: str = "/health", **headers: str) -> tuple[int, Any]:
    async with server.client(**headers) as client:
        response = await client.get(path)
    return response.status_code, response.json()


async def test_health_is_the_readmes(server: Server) -> None:
    set_up(server)
    status, body = await health(server, **STRANGER)
    assert status == 200
    assert body["data"].pop("timestamp").endswith("Z")
    assert body["data"].pop("uptime") >= 0
    assert body == {
        "success": True,
        "data": {
            "status": "healthy",
            "version": __version__,
            "services": {"database": "healthy", "fileMonitor": "healthy", "websocket": "healthy"},
        },
    }


@pytest.mark.parametrize(
    ("states", "services", "overall"),
    [
        ({"storage": "degraded"}, ("degraded", "healthy", "healthy"), "degraded"),
        ({"source": "restarting"}, ("healthy", "degraded", "healthy"), "degraded"),
        ({"source": "stopped", "ws": "degraded"}, ("healthy", "unhealthy", "degraded"), "unhealthy"),
        ({"ws": "starting"}, ("healthy", "healthy", "healthy"), "healthy"),
    ],
)
async def test_the_worst_service_speaks_for_all(
    server: Server, states: dict[str, State], services: tuple[str, ...], overall: str
) -> None:
    set_up(server, **states)
    status, body = await health(server)
    assert status == 200
    assert tuple(body["data"]["services"].values()) == services
    assert body["data"]["status"] == overall


async def test_a_service_that_is_not_there_is_unhealthy_and_makes_nothing_else_so(server: Server) -> None:
    server.health.set("storage", "running")
    _, body = await health(server)
    assert body["data"]["services"] == {"database": "healthy", "fileMonitor": "unhealthy", "websocket": "unhealthy"}
    assert body["data"]["status"] == "healthy"


async def test_the_owner_is_told_the_details(server: Server) -> None:
    set_up(server, storage="degraded")
    server.health.backfill["claude"] = Progress(3, 10)
    _, body = await health(server)
    details = body["data"]["details"]
    assert details["services"]["storage"] == {"state": "degraded", "reason": "disk full"}
    assert details["backfill"] == {"done": 3, "total": 10}
    _, body = await health(server, **STRANGER)
    assert "disk full" not in str(body)


@pytest.mark.parametrize(("state", "expected"), [("running", 200), ("starting", 200), ("degraded", 503)])
async def test_ready_is_a_status(server: Server, state: State, expected: int) -> None:
    set_up(server, storage=state)
    status, body = await health(server, "/health/ready", **STRANGER)
    assert status == expected
    shown = body["data"] if status == 200 else body["error"]["details"]
    assert shown["services"]["database"] == ("healthy" if status == 200 else "degraded")
