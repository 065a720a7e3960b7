"""What the first README of the observatory promised of HTTP, asked of a real daemon: routes, parameters and shapes."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from ccod.testing.waiting import eventually
from tests.e2e.daemon import Daemon, open_daemon
from tests.e2e.lines import SESSION, answer, line

ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")

PROJECTS: dict[str, Any] = {
    "success": True,
    "data": [
        {
            "id": "proj_123",
            "name": "My Project",
            "description": "Project description",
            "claudePath": "/path/to/claude/project",
            "settings": {},
            "createdAt": "2023-01-01T00:00:00.000Z",
            "updatedAt": "2023-01-01T00:00:00.000Z",
            "conversationCount": 15,
            "lastActivity": "2023-01-01T00:00:00.000Z",
        }
    ],
    "pagination": {"page": 1, "limit": 20, "total": 1, "pages": 1, "hasNext": False, "hasPrev": False},
}
HEALTH: dict[str, Any] = {
    "success": True,
    "data": {
        "status": "healthy",
        "timestamp": "2023-01-01T00:00:00.000Z",
        "uptime": 3600,
        "version": "1.0.0",
        "services": {"database": "healthy", "fileMonitor": "healthy", "websocket": "healthy"},
    },
}
LISTS = ["/api/projects", "/api/conversations", f"/api/conversations/{SESSION}/messages"]


@pytest.fixture
async def daemon(tmp_path: Path) -> AsyncIterator[Daemon]:
    async with open_daemon(tmp_path, {"http": {"socket": str(tmp_path / "s" / "ccod.sock")}}) as running:
        path = running.home.root / "-path-to-claude-project" / f"{SESSION}.jsonl"
        path.parent.mkdir()
        path.write_bytes(line("hello", cwd="/path/to/claude/project") + answer("hi", cwd="/path/to/claude/project"))

        async def stored() -> bool:
            found = await running.get("/api/conversations")
            return bool(found["data"]) and found["data"][0]["messageCount"] == 2

        await eventually(stored, "two messages")
        yield running


def assert_shape(found: Any, example: Any, at: str = "$") -> None:
    """Everything in the example is in what was found, of the same kind; there may be more beside it."""
    if isinstance(example, dict):
        assert isinstance(found, dict), at
        for name, value in example.items():
            assert name in found, f"{at}.{name}"
            assert_shape(found[name], value, f"{at}.{name}")
    elif isinstance(example, list):
        assert isinstance(found, list), at
        for number, item in enumerate(found):
            assert_shape(item, example[0], f"{at}[{number}]")
    elif isinstance(example, str) and ISO.fullmatch(example):
        assert ISO.fullmatch(found), at
    elif isinstance(example, bool) or not isinstance(example, int):
        assert type(found) is type(example), at
    else:
        assert isinstance(found, int | float), at
        assert not isinstance(found, bool), at


async def test_the_examples_have_their_shapes(daemon: Daemon) -> None:
    projects = await daemon.get("/api/projects")
    assert_shape(projects, PROJECTS)
    assert projects["pagination"] == PROJECTS["pagination"] | {"nextCursor": None}
    assert projects["data"][0]["id"].startswith("proj_")
    assert projects["data"][0]["claudePath"] == "/path/to/claude/project"
    health = await daemon.get("/health")
    assert_shape(health, HEALTH)
    assert health["data"]["services"] == HEALTH["data"]["services"]
    assert (await daemon.get("/health/ready"))["success"] is True


async def test_lists_take_their_parameters(daemon: Daemon) -> None:
    project = (await daemon.get("/api/projects?page=1&limit=20&sort=updatedAt&order=desc"))["data"][0]["id"]
    for path in LISTS:
        answered = await daemon.get(f"{path}?page=1&limit=1")
        assert answered["success"] is True
        assert_shape(answered["pagination"], PROJECTS["pagination"])
    async with httpx.AsyncClient(base_url=daemon.url) as client:
        made, kept = [await client.get("/api/conversations?limit=1&page=2") for _ in range(2)]
        assert (made.headers["Link"], made.content) == (kept.headers["Link"], kept.content)
    for query, count in (
        (f"projectId={project}", 1),
        ("projectId=proj_0", 0),
        ("status=active", 1),
        ("status=completed", 0),
        ("status=error", 0),
        ("startDate=2023-01-01&endDate=9999-01-01&page=1&limit=10", 1),
        ("endDate=2023-01-01T00:00:00.000Z", 0),
    ):
        assert (await daemon.get(f"/api/conversations?{query}"))["pagination"]["total"] == count, query


async def test_a_conversation_in_detail(daemon: Daemon) -> None:
    shown = (await daemon.get(f"/api/conversations/{SESSION}"))["data"]
    for name in ("projectId", "title", "status", "createdAt", "updatedAt", "lastUpdated"):
        assert isinstance(shown[name], str), name
    assert (shown["id"], shown["messageCount"], shown["toolUsageCount"]) == (SESSION, 2, 0)
    assert shown["filePath"].endswith(f"{SESSION}.jsonl")
    assert shown["durationSeconds"] >= 0
    prompt, said = (await daemon.get(f"/api/conversations/{SESSION}/messages"))["data"]
    assert (prompt["role"], prompt["content"], said["role"]) == ("user", "hello", "assistant")
    assert {"id", "conversationId", "toolCalls", "timestamp", "tokenCount", "model"} <= set(said)
    found = (await daemon.get(f"/api/conversations/{SESSION}/analytics"))["data"]
    assert found["messages"] == {"total": 2, "user": 1, "assistant": 1}
    assert found["usage"] == found["totalUsage"]
    assert set(found["usage"]) == {
        *("inputTokens", "outputTokens", "cacheCreationTokens", "cacheReadTokens", "totalTokens"),
        *("costUsd", "costUsdMicros"),
    }


async def test_projects_are_made_changed_and_deleted(daemon: Daemon) -> None:
    """By the owner on the Unix socket: on TCP that takes a token."""
    body = {"name": "My Project", "description": "Project description", "claudePath": "/x", "settings": {"a": 1}}
    async with httpx.AsyncClient(base_url=daemon.url) as stranger:
        assert (await stranger.post("/api/projects", json=body)).status_code in {401, 403}
    transport = httpx.AsyncHTTPTransport(uds=str(daemon.home.path / "s" / "ccod.sock"))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as owner:
        made = await owner.post("/api/projects", json=body)
        assert made.status_code == 201
        assert_shape(made.json()["data"], {name: PROJECTS["data"][0][name] for name in body} | body)
        id_ = made.json()["data"]["id"]
        changed = await owner.put(f"/api/projects/{id_}", json={"name": "Another"})
        assert (changed.json()["data"]["name"], changed.json()["data"]["settings"]) == ("Another", {"a": 1})
        await daemon.restart()
        assert (await owner.get(f"/api/projects/{id_}")).json()["data"]["name"] == "Another"
        assert (await owner.delete(f"/api/projects/{id_}")).json()["success"] is True
        assert (await owner.get(f"/api/projects/{id_}")).status_code == 404
