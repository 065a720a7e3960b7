"""Figures of real transcripts are those that a short program of its own finds in the files."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ccod import FigureQuery, SessionQuery
from ccod_rest.ranges import RangeParameters, read_range
from tests.real import ABSENT, DATA
from tests.truth import open_storage, store, truths

if not truths():
    pytest.skip(ABSENT, allow_module_level=True)

ZONE = "America/Los_Angeles"


def answers() -> dict[tuple[str, str], tuple[str, Counter[str]]]:
    """Return of each API response when it began and the most that any line of any file says of its tokens.

    Copies on the side would need a rule that this has not: that both come to the same says that there are none.
    """
    found: dict[tuple[str, str], tuple[str, Counter[str]]] = {}
    for truth in truths():
        for line in (DATA / truth["file"]).read_bytes().splitlines():
            try:
                record: Any = json.loads(line)
            except ValueError:
                continue
            message = record.get("message") if isinstance(record, dict) else None
            if not isinstance(message, dict) or "usage" not in message or not message.get("id"):
                continue
            usage = message["usage"]
            told = Counter(
                {
                    "input": usage.get("input_tokens") or 0,
                    "output": usage.get("output_tokens") or 0,
                    "created": usage.get("cache_creation_input_tokens") or 0,
                    "read": usage.get("cache_read_input_tokens") or 0,
                }
            )
            key = message["id"], record.get("requestId") or ""
            before = found.get(key, (record["timestamp"], told))
            found[key] = min(before[0], record["timestamp"]), before[1] | told
    return found


async def test_days_add_up_to_what_is_in_the_files(tmp_path: Path) -> None:
    expected: dict[str, Counter[str]] = defaultdict(Counter)
    for at, told in answers().values():
        expected[datetime.fromisoformat(at).astimezone(ZoneInfo(ZONE)).date().isoformat()] += told
    async with open_storage(tmp_path / "x.db") as storage:
        for truth in truths():
            await store(storage, truth)
        time = read_range(RangeParameters(timezone=ZONE), await storage.figured())
        edges = time.edges("day")
        found: dict[str, Counter[str]] = defaultdict(Counter)
        for each in await storage.usage(FigureQuery(edges)):
            used = each.totals.usage
            found[time.name(each.start, "day")] += Counter(
                input=used.input_tokens,
                output=used.output_tokens,
                created=used.cache_creation_tokens,
                read=used.cache_read_tokens,
            )
        assert {day: sums for day, sums in found.items() if sums} == {
            day: sums for day, sums in expected.items() if sums
        }

        whole = await storage.overview(FigureQuery([edges[0], edges[-1]]))
        total = whole.figures.totals
        for unit in ("day", "week", "month"):
            parts = [await storage.usage(FigureQuery([*pair])) for pair in pairwise(time.edges(unit))]
            assert sum((each.totals for part in parts for each in part), type(total)()) == total
        sessions = (await storage.sessions(SessionQuery(edges[0], edges[-1], limit=1000))).items
        assert sum((each.totals for session in sessions for each in session.models), type(total)()) == total
        assert whole.figures.user_message_count == sum(truth["user_messages"] for truth in truths())
        assert whole.figures.tool_call_count == sum(truth["tool_uses"] for truth in truths())
