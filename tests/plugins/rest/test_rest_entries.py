"""Records of every type, as they stand in the transcript."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.plugins.rest.family import A1, FILES, MAIN, SECRET, lines, said, store
from tests.plugins.rest.library import SESSION, library

PATH = f"/api/conversations/{SESSION}/entries"
HOOK = {
    "type": "hook_success",
    "stdout": f"token {SECRET}",
    "count": 10**30 + 1,
    "at": 1764150000000000001,
    "half": "\ud83d",
}
ODD = [
    said("x1", None, 1, "x") | {"type": "attachment", "message": None, "attachment": HOOK},
    {"type": "pr-link", "prNumber": 4, "sessionId": SESSION},
]


async def test_every_record_stands_there_once(tmp_path: Path) -> None:
    async with library(tmp_path / "ccod.db") as house:
        await store(house.storage, list(FILES))
        found = (await house.get(PATH, limit=200))["data"]
        assert [each["record"] for each in found] == MAIN
        assert [(each["type"], each["subtype"]) for each in found[7:9]] == [
            ("system", "compact_boundary"),
            ("user", "compact_summary"),
        ]
        assert [each["record"] for each in (await house.get(PATH, agent="a1", type="user"))["data"]] == A1[:1]
        pages = [await house.get(PATH, page=page, limit=5) for page in (1, 2, 3)]
        assert [each for page in pages for each in page["data"]] == found
        assert pages[0]["pagination"]["total"] == len(MAIN)
        queued = (await house.get(PATH, type="attachment", subtype="queued_command"))["data"]
        assert [(each["id"], each["parentId"], each["role"]) for each in queued] == [("m11", "m10", "user")]
        assert (await house.get("/api/conversations/none/entries"))["error"]["code"] == "NOT_FOUND"


async def test_whatever_a_record_holds(tmp_path: Path) -> None:
    deep = b'{"type":"tag","tag":' + b"[" * 300 + b"]" * 300 + b"}\n"
    async with library(tmp_path / "ccod.db") as house:
        await house.add(json.dumps(ODD[0]).encode() + b"\n" + lines(ODD[1]) + deep + b"no record\n", index=False)
        hook, link, tag = (await house.get(PATH))["data"]
    shown: dict[str, Any] = hook["record"]["attachment"]
    assert isinstance(shown["count"], int)
    assert shown == HOOK | {"stdout": "token «redacted:github-token»", "half": "\ufffd"}
    assert (link["type"], link["record"], link["role"]) == ("pr-link", ODD[1], None)
    assert tag["type"] == "tag"
