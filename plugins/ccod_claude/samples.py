"""A small made-up history, as Claude Code would write it: for `ccod demo`, and for tests of plugins."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

VERSION = "2.1.173"
MODEL, SMALL_MODEL = "claude-sonnet-4-5-20250929", "claude-haiku-4-5-20251001"
NAMES = uuid.UUID("c0dec0de-0000-4000-8000-000000000000")

Step = tuple[str, Any]
"""Who, and what: `you` and `claude` say a text; `claude` may also call a tool, with its input and what it answers."""

STORIES: Sequence[tuple[str, str, Sequence[Step]]] = (
    (
        "/home/ada/shop-api",
        MODEL,
        (
            ("you", "The checkout test fails now and then. Find out why."),
            (
                "tool",
                ("Bash", {"command": "pytest tests/test_checkout.py -x"}, "FAILED test_total - assert 41 == 42", True),
            ),
            ("tool", ("Read", {"file_path": "/home/ada/shop-api/src/checkout.py"}, "def total(cart): ...", False)),
            ("claude", "The total is rounded before the tax is added. I round once, at the end."),
            (
                "tool",
                ("Edit", {"file_path": "/home/ada/shop-api/src/checkout.py"}, "The file has been updated.", False),
            ),
            ("tool", ("Bash", {"command": "pytest tests/test_checkout.py -x"}, "12 passed in 0.41s", False)),
            ("claude", "The test passes: money is rounded once, when the invoice is written."),
        ),
    ),
    (
        "/home/ada/garden",
        SMALL_MODEL,
        (
            ("you", "Write a script that waters the tomatoes at dawn."),
            ("tool", ("Write", {"file_path": "/home/ada/garden/water.py"}, "The file has been written.", False)),
            ("tool", ("Bash", {"command": "python water.py --dry-run"}, "05:41 valve 2 opens for 8 minutes", False)),
            ("claude", "It opens valve 2 for eight minutes at sunrise, and not when it rained."),
        ),
    ),
    (
        "/home/ada/thesis",
        MODEL,
        (
            ("you", "Does chapter three say what the figures show?"),
            ("tool", ("Grep", {"pattern": "Figure 3", "path": "chapters"}, "chapters/three.tex:88", False)),
            ("claude", "Not quite: Figure 3.2 shows a growing error, and the text calls it stable."),
            ("you", "Correct the text, please."),
            (
                "tool",
                ("Edit", {"file_path": "/home/ada/thesis/chapters/three.tex"}, "The file has been updated.", False),
            ),
            ("claude", "The text now says that the error grows with the number of samples."),
        ),
    ),
)
STEP = timedelta(seconds=20)
BEGAN = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)


class Session:
    """One conversation, line by line. The same number, story and times give the same bytes."""

    def __init__(self, number: int) -> None:
        self.cwd, self._model, self.steps = STORIES[number % len(STORIES)]
        self.id = str(uuid.uuid5(NAMES, str(number)))
        self.path = f"{self.cwd.replace('/', '-')}/{self.id}.jsonl"
        self._parent: str | None = None
        self._count = 0

    def whole(self, began: datetime) -> Iterator[bytes]:
        """Yield all lines, of which the first is written when it `began`."""
        for place, step in enumerate(self.steps):
            yield from self.lines(step, began + place * STEP, last=step is self.steps[-1])

    def lines(self, step: Step, at: datetime, *, last: bool = False) -> Iterator[bytes]:
        """Yield the lines that a step writes: one, or two for a tool call and its result."""
        who, what = step
        if who == "you":
            yield self._line("user", {"role": "user", "content": what}, at)
        elif who == "claude":
            yield self._answer({"type": "text", "text": what}, at, "end_turn" if last else None)
        else:
            name, arguments, result, failed = what
            use = f"toolu_{self._name()}"
            yield self._answer({"type": "tool_use", "id": use, "name": name, "input": arguments}, at, "tool_use")
            block = {"type": "tool_result", "tool_use_id": use, "content": result, "is_error": failed}
            yield self._line("user", {"role": "user", "content": [block]}, at + STEP / 10)

    def _answer(self, block: dict[str, Any], at: datetime, stop: str | None) -> bytes:
        usage = {
            "input_tokens": 12,
            "output_tokens": 150 + len(json.dumps(block)),
            "cache_creation_input_tokens": 900,
            "cache_read_input_tokens": 14_000 + 900 * self._count,
        }
        message: dict[str, Any] = {
            "id": f"msg_{self._name()}",
            "type": "message",
            "role": "assistant",
            "model": self._model,
        }
        message |= {"content": [block], "stop_reason": stop, "usage": usage}
        return self._line("assistant", message, at, requestId=f"req_{self._name()}")

    def _line(self, kind: str, message: dict[str, Any], at: datetime, **fields: str) -> bytes:
        own = str(uuid.uuid5(uuid.UUID(self.id), str(self._count)))
        line = {
            "parentUuid": self._parent,
            "isSidechain": False,
            "userType": "external",
            "cwd": self.cwd,
            "sessionId": self.id,
            "version": VERSION,
            "gitBranch": "main",
            "type": kind,
            "message": message,
            "uuid": own,
            "timestamp": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        } | fields
        self._parent = own
        self._count += 1
        return json.dumps(line).encode() + b"\n"

    def _name(self) -> str:
        return uuid.uuid5(uuid.UUID(self.id), f"name {self._count}").hex[:24]


def sample_transcripts(until: datetime, count: int = 9) -> dict[str, bytes]:
    """Return `count` whole transcripts, by their paths below a `projects` folder.

    They were written one after the other, some hours apart, the last of them an hour before `until`, which has a zone.
    """
    found = {}
    for number in range(count):
        session = Session(number)
        began = until - timedelta(hours=1 + 7 * (count - 1 - number)) - len(session.steps) * STEP
        found[session.path] = b"".join(session.whole(began))
    return found


def conversation(number: int = 0, began: datetime = BEGAN) -> list[bytes]:
    """Return the lines of one transcript: prompts, tool calls with their results, and answers.

    `Session(number)` says its `id`, and its `path` below a `projects` folder. The same arguments make the same bytes.
    """
    return [*Session(number).whole(began)]
