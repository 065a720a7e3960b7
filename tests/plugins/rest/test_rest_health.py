"""Health in the README's shape, for everybody; why something is not well, for the owner alone."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from ccod import Progress, Reason, __version__
from ccod.health import State
from tests.plugins.http.serving import Server

FULL = Reason("DISK_FULL", "disk full", "make room")
STRANGER = {"X-Forwarded-For": "10.0.0.1"}


def set_up(server: Server, **states: State) -> None:
    storage = states.get("storage", "running")
    server.health.set("storage", storage, *([FULL] if storage == "degraded" else []))
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
    assert details["reasons"] == [{"service": "storage", "code": "DISK_FULL", "text": "disk full", "fix": "make room"}]
    assert details["backfill"] == {"state": "running", "done": 3, "total": 10}
    assert 0 < details["memory"]["rss"] <= details["memory"]["peak"]
    server.health.backfill["claude"] = Progress(10, 10)
    _, body = await health(server)
    assert body["data"]["details"]["backfill"]["state"] == "done"
    _, body = await health(server, **STRANGER)
    assert "disk full" not in str(body)


async def test_what_a_running_service_says_of_itself_is_no_reason_to_send_nobody(server: Server) -> None:
    set_up(server)
    server.health.tell("source claude", [Reason("WATCH_LIMIT", "3 folders are not watched", "raise it")])
    server.health.warnings.append(("storage", Reason("ENGINE_AFFECTED", "an old engine", "update it")))
    _, body = await health(server)
    data = body["data"]
    assert (data["status"], data["services"]["fileMonitor"]) == ("degraded", "degraded")
    assert data["details"]["services"]["source claude"]["reason"] == "3 folders are not watched"
    assert [each["code"] for each in data["details"]["reasons"]] == ["WATCH_LIMIT"]
    assert [each["code"] for each in data["details"]["warnings"]] == ["ENGINE_AFFECTED"]
    assert (await health(server, "/health/ready"))[0] == 200
    server.health.set("source claude", "restarting", Reason("SERVICE_RESTARTING", "it failed", ""))
    _, body = await health(server)
    assert [each["code"] for each in body["data"]["details"]["reasons"]] == ["SERVICE_RESTARTING"]
    assert (await health(server, "/health/ready"))[0] == 503
    server.health.set("source claude", "running")
    _, body = await health(server)
    assert (body["data"]["status"], body["data"]["details"]["reasons"]) == ("healthy", [])
    assert len(body["data"]["details"]["warnings"]) == 1, "a warning makes nothing degraded"


async def test_livez_answers_where_no_thread_is_free_and_nothing_is_well(server: Server) -> None:
    server.health.set("storage", "stopped")
    assert (await health(server, "/livez", Host="evil.example"))[0] == 421
    threads, busy = trio.to_thread.current_default_thread_limiter(), object()
    before, threads.total_tokens = threads.total_tokens, 1
    await threads.acquire_on_behalf_of(busy)
    try:
        with trio.move_on_after(0.3) as waited:
            await health(server)
        assert waited.cancelled_caught, "who asks is looked up in a thread"
        with trio.fail_after(10):
            assert await health(server, "/livez") == (200, {"success": True, "data": {"status": "alive"}})
    finally:
        threads.release_on_behalf_of(busy)
        threads.total_tokens = before


@pytest.mark.parametrize(("state", "expected"), [("running", 200), ("starting", 200), ("degraded", 503)])
async def test_ready_is_a_status(server: Server, state: State, expected: int) -> None:
    set_up(server, storage=state)
    status, body = await health(server, "/health/ready", **STRANGER)
    assert status == expected
    shown = body["data"] if status == 200 else body["error"]["details"]
    assert shown["services"]["database"] == ("healthy" if status == 200 else "degraded")
