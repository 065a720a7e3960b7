"""Overview, usage lists, projects and cursors over HTTP, from real rows."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio
from click.testing import CliRunner

from ccod_rest.commands.usage import usage_command
from tests.plugins.rest.library import Library, library


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Library]:
    """A conversation that goes from one local day into the next, and a later one."""
    async with library(tmp_path / "ccod.db", "admin") as opened:
        for number, when in enumerate(("2026-01-01T22:50", "2026-01-01T23:10", "2026-02-03T09:00")):
            opened.session = f"{number // 2}1111111-2222-4333-8444-555555555555"
            opened.size = opened.size if number == 1 else 0
            call = [{"type": "tool_use", "id": f"t{number}", "name": "Bash", "input": {}}]
            result = [{"type": "tool_result", "tool_use_id": f"t{number}", "content": "", "is_error": number == 1}]
            await opened.add(
                opened.said("user", f"prompt {number}", timestamp=f"{when}:00.000Z"),
                opened.said("assistant", call, timestamp=f"{when}:10.000Z"),
                opened.said("user", result, timestamp=f"{when}:12.000Z"),
                index=False,
            )
        yield opened


async def test_an_overview_tells_of_days_in_a_time_zone(house: Library) -> None:
    found = (await house.get("/api/analytics/overview", timezone="Europe/Berlin"))["data"]
    days = {
        day["date"]: (day["conversationCount"], day["messageCount"], day["toolErrorCount"]) for day in found["byDay"]
    }
    assert days == {"2026-01-01": (1, 3, 0), "2026-01-02": (1, 3, 1), "2026-02-03": (1, 3, 0)}
    assert (found["startTime"], found["endTime"]) == ("2025-12-31T23:00:00.000Z", "2026-02-03T23:00:00.000Z")
    summary = found["summary"]
    assert (summary["conversationCount"], summary["messageCount"], summary["responseCount"]) == (2, 9, 3)
    assert (summary["toolUsageCount"], summary["toolErrorCount"]) == (3, 1)
    assert summary["toolSuccessRate"] == pytest.approx(2 / 3)
    assert summary["averageDurationSeconds"] == pytest.approx((1212 + 12) / 2)
    assert summary["usage"]["costUsdMicros"] == 75
    (project,), (model,), (tool,) = found["byProject"], found["byModel"], found["byTool"]
    assert (project["projectName"], project["usage"]["totalTokens"]) == ("garden", 3)
    assert (model["model"], model["responseCount"]) == ("claude-opus-4-5", 3)
    assert tool == {
        "name": "Bash",
        "count": 3,
        "errorCount": 1,
        "pendingCount": 0,
        "successRate": pytest.approx(2 / 3),
        "averageDurationMs": 2000.0,
    }
    assert [day["date"] for day in (await house.get("/api/analytics/overview"))["data"]["byDay"]] == [
        "2026-01-01",
        "2026-02-03",
    ]
    one = await house.get("/api/analytics/overview", startDate="2026-02-01", projectId=project["projectId"])
    assert one["data"]["summary"]["conversationCount"] == 1


async def test_analytics_tell_how_long_answers_took(house: Library) -> None:
    found = (await house.get(f"/api/conversations/{house.session}/analytics"))["data"]
    assert found["responseTimes"] == {"averageMs": 10_000, "p50Ms": 10_000, "p95Ms": 10_000}


@pytest.mark.parametrize(
    ("path", "periods"),
    [
        ("/api/usage/daily", [("2026-02-03", 1), ("2026-01-01", 2)]),
        ("/api/usage/daily?timezone=Europe/Berlin", [("2026-02-03", 1), ("2026-01-02", 1), ("2026-01-01", 1)]),
        ("/api/usage/daily?timezone=Europe/Berlin&limit=1&page=2", [("2026-01-02", 1)]),
        ("/api/usage/daily?model=nobody's", []),
        ("/api/usage/daily?projectId=nobody's", []),
        ("/api/usage/daily?endDate=2026-01-31&model=claude-opus-4-5", [("2026-01-01", 2)]),
        ("/api/usage/weekly", [("2026-W06", 1), ("2026-W01", 2)]),
        ("/api/usage/monthly", [("2026-02", 1), ("2026-01", 2)]),
    ],
)
async def test_usage_by_time(house: Library, path: str, periods: list[tuple[str, int]]) -> None:
    answer = (await house.http.get(path)).json()
    assert [(item["period"], item["responseCount"]) for item in answer["data"]] == periods
    for item in answer["data"]:
        assert item["usage"]["costUsdMicros"] == 25 * item["responseCount"]
        assert [model["model"] for model in item["models"]] == ["claude-opus-4-5"]


async def test_usage_by_conversations(house: Library) -> None:
    found = (await house.get("/api/usage/sessions"))["data"]
    assert [(item["title"], item["usage"]["totalTokens"]) for item in found] == [("prompt 2", 1), ("prompt 0", 2)]
    blocks = (await house.get("/api/usage/blocks"))["data"]
    assert sum(block["usage"]["costUsdMicros"] for block in blocks) == 75


LISTS = [
    "/api/projects",
    "/api/conversations",
    "/api/conversations?sort=title&order=asc",
    "/api/conversations/01111111-2222-4333-8444-555555555555/messages",
    "/api/conversations/01111111-2222-4333-8444-555555555555/messages?order=desc",
    "/api/conversations/01111111-2222-4333-8444-555555555555/tool-calls",
    "/api/conversations/01111111-2222-4333-8444-555555555555/entries",
    "/api/usage/daily?timezone=Europe/Berlin",
    "/api/usage/weekly",
    "/api/usage/monthly",
    "/api/usage/sessions",
    "/api/quarantine",
]


async def test_links_lead_through_a_whole_list(house: Library) -> None:
    await house.add(b"broken\n", b"broken, too\n")
    await house.http.post("/api/projects", json={"claudePath": "/home/u/cellar"})
    for path in LISTS:
        whole = (await house.http.get(path)).json()["data"]
        assert len(whole) >= 2, path
        url, seen = f"{path}{'&' if '?' in path else '?'}limit=1", []
        while url:
            answer = await house.http.get(url)
            links = dict(re.findall(r'<([^>]*)>; rel="(\w+)"', answer.headers["Link"]))
            to = {relation: link for link, relation in links.items()}
            seen += answer.json()["data"]
            pagination = answer.json()["pagination"]
            assert (await house.http.get(to["first"])).json()["data"] == whole[:1]
            assert pagination["hasPrev"] == (len(seen) > 1)
            assert (pagination["page"], pagination["total"]) == (1 if len(seen) == 1 else None, len(whole))
            url = to.get("next", "")
        assert seen == whole, path
        second = await house.http.get(f"{path}{'&' if '?' in path else '?'}limit=1&page=2")
        assert second.json()["data"] == whole[1:2]
        assert 'rel="prev"' in second.headers["Link"]


async def test_a_cursor_is_good_for_its_own_list_alone(house: Library) -> None:
    path = "/api/conversations?limit=1&status=active"
    cursor = (await house.http.get(path)).json()["pagination"]["nextCursor"]
    assert (await house.http.get(f"{path}&cursor={cursor}")).status_code == 200
    assert (await house.http.get(f"/api/conversations?limit=2&status=active&cursor={cursor}")).status_code == 200
    for wrong in (
        f"/api/conversations?cursor={cursor}",
        f"/api/conversations?status=active&sort=createdAt&cursor={cursor}",
        f"/api/projects?status=active&cursor={cursor}",
        f"{path}&cursor={cursor[:-1]}",
        f"{path}&cursor={cursor[:-2]}AA",
        f"{path}&cursor=%00",
        f"{path}&cursor={cursor}&page=1",
    ):
        answer = await house.http.get(wrong)
        assert answer.status_code == 400, wrong
        name = "status" if "projects" in wrong else "cursor"
        assert answer.json()["error"]["details"][0]["parameter"] == name


async def test_a_cursor_never_tells_a_title(house: Library) -> None:
    cursor = (await house.get("/api/conversations", limit=1, sort="title"))["pagination"]["nextCursor"]
    assert b"prompt" not in urlsafe_b64decode(cursor + "==")


async def test_filters_of_conversations(house: Library) -> None:
    async def count(**filters: Any) -> int:
        return int((await house.get("/api/conversations", **filters))["pagination"]["total"])

    assert await count(model="claude-opus-4-5") == 2
    assert await count(model="claude") == 0
    assert await count(hasErrors="false") == 2
    assert await count(hasErrors="true") == 0


async def test_projects_are_made_and_edited(house: Library) -> None:
    body = {"claudePath": "/home/u/cellar", "name": "Cellar", "description": "Cool", "settings": {"deep": {"er": [1]}}}
    made = await house.http.post("/api/projects", json=body)
    assert made.status_code == 201
    project = made.json()["data"]
    assert {name: project[name] for name in body} == body
    again = await house.http.post("/api/projects", json={"claudePath": "/home/u/cellar/"})
    assert (again.status_code, again.json()["error"]["code"]) == (409, "RESOURCE_ALREADY_EXISTS")
    edited = (await house.http.put(f"/api/projects/{project['id']}", json={"name": "Vault"})).json()["data"]
    assert (edited["name"], edited["description"], edited["settings"]) == ("Vault", "Cool", body["settings"])
    assert (await house.http.put("/api/projects/none", json={})).status_code == 404
    for wrong in ({"claudePath": "relative"}, {"claudePath": "/a\0"}, {"claudePath": "/a", "name": " "}, {"name": "x"}):
        assert (await house.http.post("/api/projects", json=wrong)).status_code == 422, wrong
    assert (await house.http.put(f"/api/projects/{project['id']}", json={"claudePath": "/x"})).status_code == 422
    house.session = "91111111-2222-4333-8444-555555555555"
    house.size = 0
    await house.add(house.said("user", "hello", cwd="/home/u/cellar"), index=False)
    joined = (await house.get(f"/api/projects/{project['id']}"))["data"]
    assert (joined["name"], joined["conversationCount"]) == ("Vault", 1)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["daily"], ["2026-02-03", "2026-01-01", "all"]),
        (["daily", "--timezone", "Europe/Berlin"], ["2026-02-03", "2026-01-02", "2026-01-01", "all"]),
        (["weekly", "--until", "2026-01-31"], ["2026-W01"]),
        (["monthly", "--since", "2026-02-01"], ["2026-02"]),
        (["sessions", "--model", "claude-opus-4-5"], ["prompt 2", "prompt 0", "all"]),
    ],
)
async def test_the_command_prints_a_table(house: Library, words: list[str], said: list[str]) -> None:
    call = partial(CliRunner().invoke, usage_command(lambda: house.settings), words)
    result = await trio.to_thread.run_sync(call)
    assert result.exit_code == 0, result.output
    head, *rows = result.output.splitlines()
    assert head.split()[-6:] == ["input", "output", "written", "read", "total", "cost"]
    assert [row[: len(word)] for row, word in zip(rows, said, strict=True)] == said


async def test_the_command_names_a_project_that_is_not_there(house: Library) -> None:
    call = partial(CliRunner().invoke, usage_command(lambda: house.settings), ["sessions", "--project", "none"])
    result = await trio.to_thread.run_sync(call)
    assert result.exit_code == 1
    assert "there is no project 'none'" in str(result.exception)
