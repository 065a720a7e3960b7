"""Streams made up for tests: what a source would send of them, and what a parser would make of that."""

from __future__ import annotations

from typing import Any, Literal

from ccod import Batch, Checkpoint, Entry, Record, Response, Stream, ToolResult, ToolUse, Unparsed, Usage

SOURCE = "tests"
MINUTE = 60_000


class Transcript:
    """One stream that grows: `add` writes lines, `batch` takes those that were not sent yet."""

    def __init__(
        self, conversation: str = "conversation-1", agent: str | None = None, key: str = "", path: str = ""
    ) -> None:
        key = key or f"{conversation}/{agent or 'main'}"
        self.stream = Stream(key, "lines", path or f"/transcripts/{key}", conversation, agent)
        self.records: list[Record] = []
        self.parsed: list[Entry | Unparsed] = []
        self.sent = 0

    @property
    def size(self) -> int:
        return sum(len(record.body) for record in self.records)

    def add(self, kind: str = "user", body: bytes = b"", **facts: Any) -> Transcript:
        """Write one line. A user's or an assistant's is a message."""
        offset = self.size
        body = body or f"line {len(self.records)} of {self.stream.key}".encode()
        if kind in {"user", "assistant"}:
            facts = {"role": kind} | facts
        self.records.append(Record(offset, body + b"\n"))
        self.parsed.append(Entry(offset, len(body), kind, **facts))
        return self

    def add_garbage(self, reason: str = "not JSON") -> Transcript:
        offset = self.size
        self.records.append(Record(offset, b"garbage\n"))
        self.parsed.append(Unparsed(offset, 7, reason))
        return self

    def batch(
        self,
        *,
        history: bool = False,
        change: Literal["add", "change", "unlink"] = "change",
        since: int | None = None,
        until: int | None = None,
    ) -> tuple[Batch, list[Entry | Unparsed]]:
        """Return the lines from the number `since`, or from the first not sent, up to `until`."""
        start = self.sent if since is None else since
        end = len(self.records) if until is None else until
        self.sent = max(self.sent, end)
        records = self.records[start:end]
        reached = records[-1].offset + len(records[-1].body) if records else self.size
        offsets = {record.offset for record in records}
        checkpoint = Checkpoint(reached, f"state at {reached}")
        batch = Batch(self.stream, records, checkpoint, history=history, change=change, size=self.size)
        return batch, [item for item in self.parsed if item.offset in offsets]


def response(message: str = "msg", output: int = 10, *, request: str = "req", **facts: Any) -> Response:
    usage = Usage(input_tokens=3, output_tokens=output, cache_creation_1h_tokens=5, cache_read_tokens=7)
    return Response(message, request, facts.pop("model", "large"), facts.pop("usage", usage), **facts)


def uses(*ids: str) -> list[ToolUse]:
    return [ToolUse(key, "Bash") for key in ids]


def results(*ids: str, is_error: bool = False) -> list[ToolResult]:
    return [ToolResult(key, is_error) for key in ids]
