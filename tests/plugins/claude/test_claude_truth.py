"""Real transcripts, against counts made by another program."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from ccod import Entry, Record, Stream
from ccod_claude.parser import ClaudeParser
from tests.real import ABSENT, DATA

STREAM = Stream("k", "claude", "/p", "s")


def truths() -> list[Any]:
    file = DATA / "truth.json"
    return json.loads(file.read_bytes()) if file.exists() else []


@pytest.mark.skipif(not truths(), reason=ABSENT)
@pytest.mark.parametrize("truth", truths(), ids=lambda truth: truth["file"])
def test_counts(truth: dict[str, Any]) -> None:
    found = list(entries(DATA / truth["file"]))
    parsed = [entry for entry in found if isinstance(entry, Entry)]
    results = [result for entry in parsed for result in entry.tool_results]
    tokens = usage(parsed)
    assert {
        "records": len(parsed),
        "malformed": len(found) - len(parsed),
        "types": dict(Counter(entry.type for entry in parsed)),
        "user_messages": len({entry.uuid for entry in parsed if entry.role == "user"}),
        "assistant_messages": len({entry.uuid for entry in parsed if entry.role == "assistant"}),
        "tool_uses": sum(len(entry.tool_uses) for entry in parsed),
        "tool_results": len(results),
        "tool_errors": sum(result.is_error for result in results),
    }.items() <= truth.items()
    assert tokens.items() <= truth["tokens"].items()


def entries(file: Path) -> Any:
    parser, offset = ClaudeParser(), 0
    with file.open("rb") as lines:
        for line in lines:
            yield from parser.parse(STREAM, Record(offset, line))
            offset += len(line)


def usage(parsed: list[Entry]) -> dict[str, int]:
    """Add up the tokens of every response, as its last line tells them."""
    last = {
        (entry.response.message_id, entry.response.request_id): entry.response.usage
        for entry in parsed
        if entry.response
    }.values()
    return {
        "input_tokens": sum(usage.input_tokens for usage in last),
        "output_tokens": sum(usage.output_tokens for usage in last),
        "cache_creation_input_tokens": sum(usage.cache_creation_tokens for usage in last),
        "cache_read_input_tokens": sum(usage.cache_read_tokens for usage in last),
        "ephemeral_1h": sum(usage.cache_creation_1h_tokens for usage in last),
        "web_search_requests": sum(usage.web_search_requests for usage in last),
        "total": sum(usage.total_tokens for usage in last),
    }
