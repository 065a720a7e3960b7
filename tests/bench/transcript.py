"""One synthetic transcript, line by line as Claude Code writes it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct

from tests.bench import tools
from tests.bench.draw import Draw

MODELS = {
    "claude-sonnet-4-5-20250929": 40,
    "claude-opus-4-5-20251101": 36,
    "claude-haiku-4-5-20251001": 20,
    "claude-opus-4-7": 4,
}
VERSIONS = {"2.0.76": 1, "2.1.12": 1, "2.1.128": 1, "2.1.173": 1, "2.1.300": 1}
CONTEXT = 180_000


class Counts(Struct):
    """What stands in a transcript. `output_tokens` counts each response once, by its last line."""

    lines: int = 0
    bytes: int = 0
    user_messages: int = 0
    assistant_messages: int = 0
    responses: int = 0
    tool_uses: int = 0
    tool_errors: int = 0
    output_tokens: int = 0

    @property
    def messages(self) -> int:
        return self.user_messages + self.assistant_messages

    def add(self, other: Counts) -> None:
        for name in self.__struct_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


class Transcript:
    """The lines of a session, or of its subagent `agent`, and what they count up to."""

    def __init__(self, draw: Draw, session: str, cwd: str, started: int, agent: str | None = None) -> None:
        self.lines: list[bytes] = []
        self.counts = Counts()
        self.now = started
        self._draw = draw
        self._session = session
        self._cwd = cwd
        self._agent = agent
        self._model = draw.pick(MODELS)
        self._version = draw.pick(VERSIONS)
        self._branch = f"feature/{draw.random.choice(draw.words)}" if draw.chance(0.25) else "main"
        self._cached = draw.random.randint(12_000, 22_000)
        self._parent: str | None = None
        self._tracked: list[str] = []

    def write(self, size: int) -> None:
        """Write whole exchanges until there are `size` bytes."""
        if self._agent is None:
            self._opening()
        else:
            self._prompt()
        while self.counts.bytes < size:
            if self._agent is None:
                self._turn(size)
            else:
                self._exchange()

    def _opening(self) -> None:
        if self._draw.chance(0.3):
            self._put({"type": "summary", "summary": self._draw.prose(50), "leafUuid": self._draw.uuid()})
        self._snapshot(self._draw.uuid(), update=False)

    def _turn(self, size: int) -> None:
        """Write a prompt, the responses to it and what closes a turn."""
        draw = self._draw
        self._prompt()
        if draw.chance(0.25):
            operation = "enqueue" if draw.chance(0.5) else "dequeue"
            self._state("queue-operation", operation=operation, timestamp=self._timestamp(), content=draw.prose(80))
        if draw.chance(0.35):
            content = draw.code(draw.length(700, 0.8, 8000))
            self._chain("attachment", attachment={"type": "task_reminder", "content": content, "itemCount": 3})
        if draw.chance(0.01):
            self._failure()
        for _ in range(1 + int(draw.random.expovariate(1 / 6))):
            self._exchange()
            if self.counts.bytes >= size:
                return
        self._chain("system", subtype="turn_duration", durationMs=draw.random.randint(900, 400_000), isMeta=False)
        if draw.chance(0.3):
            self._state("last-prompt", lastPrompt=draw.prose(60))

    def _prompt(self) -> None:
        text = self._draw.prose(self._draw.length(260, 1.1, 30_000))
        self._user(text, promptId=self._draw.uuid(), permissionMode="default")

    def _exchange(self) -> None:
        """Write one API response, a line for each of its blocks, and the results of the tools it calls."""
        uses = self._response()
        asked_by = self._parent
        for use in uses:
            self._result(use, asked_by)
        if self._cached > CONTEXT:
            metadata = {"trigger": "auto", "preTokens": self._cached}
            self._chain(
                "system", subtype="compact_boundary", content="Conversation compacted", compactMetadata=metadata
            )
            self._cached = self._draw.random.randint(12_000, 22_000)

    def _response(self) -> list[tools.Call]:
        draw = self._draw
        uses = [tools.call(draw, self._cwd) for _ in range(draw.random.choices((0, 1, 2, 3, 4), (10, 75, 8, 4, 3))[0])]
        blocks = self._words(speak=draw.chance(0.42) or not uses)
        blocks += [
            {"type": "tool_use", "id": use.id, "name": use.name, "input": use.input, "caller": {"type": "direct"}}
            for use in uses
        ]
        message, request = draw.token("msg"), draw.token("req")
        fed, created, spoken = draw.random.randint(1, 12), draw.length(900, 1, 60_000), draw.length(220, 1, 12_000)
        for n, block in enumerate(blocks, 1):
            last = n == len(blocks)
            self._assistant(
                block,
                message=message,
                stop=("tool_use" if uses else "end_turn") if last else None,
                usage=_usage(fed, created, self._cached, spoken if last else 1 + spoken * n // (len(blocks) + 1)),
                requestId=request,
            )
        self._cached += created
        self.counts.responses += 1
        self.counts.output_tokens += spoken
        self.counts.tool_uses += len(uses)
        return uses

    def _words(self, *, speak: bool) -> list[dict[str, Any]]:
        draw = self._draw
        blocks: list[dict[str, Any]] = []
        if draw.chance(0.28):
            thoughts = draw.prose(draw.length(600, 0.9, 20_000))
            blocks.append({"type": "thinking", "thinking": thoughts, "signature": draw.hex(300)})
        if speak:
            blocks.append({"type": "text", "text": draw.prose(draw.length(330, 1.1, 20_000))})
        return blocks

    def _failure(self) -> None:
        """Write the local line that stands for a response that never came."""
        block = {"type": "text", "text": "API Error: 529 overloaded"}
        usage = _usage(0, 0, 0, 0)
        message = self._draw.uuid()
        self._assistant(block, message, "stop_sequence", usage, model="<synthetic>", isApiErrorMessage=True)
        self.counts.responses += 1

    def _result(self, use: tools.Call, asked_by: str | None) -> None:
        draw = self._draw
        text = tools.answer(draw, use)
        failed = draw.chance(0.05)
        self._user(
            [
                {
                    "tool_use_id": use.id,
                    "type": "tool_result",
                    "content": text if draw.chance(0.8) else [{"type": "text", "text": text}],
                    "is_error": failed,
                }
            ],
            toolUseResult=f"Error: {text[:200]}" if failed else tools.structured(draw, use, text),
            sourceToolAssistantUUID=asked_by,
        )
        self.counts.tool_errors += failed
        if use.name in {"Edit", "Write"} and self._agent is None:
            self._tracked = [*self._tracked, use.path][-12:]
            self._snapshot(self._parent or "", update=True)
        if use.name == "Bash" and draw.chance(0.1):
            data = {"type": "bash_progress", "output": text[-300:], "elapsedTimeSeconds": 3, "totalLines": 10}
            self._chain("progress", data=data, toolUseID=use.id, parentToolUseID=use.id)

    def _snapshot(self, message: str, *, update: bool) -> None:
        now = self._timestamp()
        backups = {
            path: {"backupFileName": f"{self._draw.hex(16)}@v1", "version": 1, "backupTime": now}
            for path in self._tracked
        }
        snapshot = {"messageId": message, "trackedFileBackups": backups, "timestamp": now}
        line = {"type": "file-history-snapshot", "messageId": message, "snapshot": snapshot}
        self._put({**line, "isSnapshotUpdate": update})

    def _user(self, content: Any, **fields: Any) -> None:
        self._chain("user", message={"role": "user", "content": content}, **fields)
        self.counts.user_messages += 1

    def _assistant(
        self,
        block: dict[str, Any],
        message: str,
        stop: str | None,
        usage: dict[str, Any],
        model: str | None = None,
        **fields: Any,
    ) -> None:
        body = {
            "model": model or self._model,
            "id": message,
            "type": "message",
            "role": "assistant",
            "content": [block],
            "stop_reason": stop,
            "stop_sequence": None,
            "usage": usage,
        }
        self._chain("assistant", message=body, **fields)
        self.counts.assistant_messages += 1

    def _chain(self, type_: str, **fields: Any) -> None:
        """Write a record that hangs on the one before it."""
        uuid = self._draw.uuid()
        self.now += int(min(900.0, self._draw.random.expovariate(1 / 6)) * 1000) + 1
        line = {
            "parentUuid": self._parent,
            "isSidechain": self._agent is not None,
            "userType": "external",
            "cwd": self._cwd,
            "sessionId": self._session,
            "version": self._version,
            "gitBranch": self._branch,
            **({"agentId": self._agent} if self._agent else {}),
            "type": type_,
            **fields,
            "uuid": uuid,
            "timestamp": self._timestamp(),
        }
        self._put(line)
        self._parent = uuid

    def _state(self, type_: str, **fields: Any) -> None:
        self._put({"type": type_, **fields, "sessionId": self._session})

    def _put(self, line: dict[str, Any]) -> None:
        body = msgspec.json.encode(line) + b"\n"
        self.lines.append(body)
        self.counts.lines += 1
        self.counts.bytes += len(body)

    def _timestamp(self) -> str:
        seconds, ms = divmod(self.now, 1000)
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{ms:03d}Z"


def _usage(fed: int, created: int, read: int, spoken: int) -> dict[str, Any]:
    return {
        "input_tokens": fed,
        "cache_creation_input_tokens": created,
        "cache_read_input_tokens": read,
        "cache_creation": {"ephemeral_5m_input_tokens": created, "ephemeral_1h_input_tokens": 0},
        "output_tokens": spoken,
        "service_tier": "standard",
    }
