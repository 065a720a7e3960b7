"""Damage lines as real transcripts are damaged: every complete record must be found, and nothing else.

The mix is that of an audit of real files: 21 records cut off before another, 3 without a newline between, 6 NUL runs.

python -m tests.faults.salvage --count 10000 --seed 1
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Callable
from typing import Any
from uuid import UUID

from msgspec import Struct

from ccod import Entry, Record, Stream
from ccod_claude.parser import ClaudeParser

STREAM = Stream("k", "claude", "/f", "6a1f4d4e-0b7e-4d57-9c1d-2f60f5f5a001")
NASTY = [
    "{",
    "}",
    '"',
    "\\",
    '{"type":"user"}',
    '}{"uuid":1}',
    "é\u2028\x85",
    "🍰",
    "\ud83d",
    "\\u007b",
    "\n",
    "x" * 300,
]
Span = tuple[int, int]


class Report(Struct):
    """What came of it, in records."""

    complete: int = 0
    lost: int = 0
    invented: int = 0

    @property
    def violations(self) -> int:
        return self.lost + self.invented


class Damage:
    """Makes damaged lines, each with the places of the complete records on it."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice

    def line(self) -> tuple[bytes, list[Span]]:
        kinds: list[Callable[[], tuple[bytes, list[Span]]]] = [self._cut, self._glued, self._padded]
        return self._dice.choices(kinds, (21, 3, 6))[0]()

    def _cut(self) -> tuple[bytes, list[Span]]:
        """A record that was cut off, also within a character or an escape, and the next on the same line."""
        first, second = self._record(), self._record()
        cut = self._dice.randrange(1, len(first))
        return first[:cut] + second, [(cut, len(second))]

    def _glued(self) -> tuple[bytes, list[Span]]:
        line, spans = b"", []
        for _ in range(self._dice.randint(2, 4)):
            record = self._record()
            spans.append((len(line), len(record)))
            line += record
        return line, spans

    def _padded(self) -> tuple[bytes, list[Span]]:
        padding, record = bytes(self._dice.randint(1, 700)), self._record()
        return padding + record, [(len(padding), len(record))]

    def _record(self) -> bytes:
        dice = self._dice
        text = "".join(dice.choices(NASTY, k=dice.randint(0, 6)))
        record: dict[str, Any] = {
            "type": dice.choice(["user", "assistant", "progress", "system"]),
            "uuid": str(UUID(int=dice.getrandbits(128))),
            "sessionId": STREAM.conversation,
            "message": {"role": "user", "content": [{"type": "text", "text": text}, {"type": "tool_use", "input": {}}]},
            "toolUseResult": {"type": "text", "file": {"content": json.dumps({"type": "user", "text": text})}},
        }
        items = list(record.items())
        dice.shuffle(items)
        ascii_only = dice.random() < 0.5 or "\ud83d" in text
        return json.dumps(dict(items), ensure_ascii=ascii_only, separators=dice.choice([(",", ":"), None])).encode()


def salvage(count: int, seed: int) -> Report:
    damage, parser, report = Damage(random.Random(seed)), ClaudeParser(), Report()
    for _ in range(count):
        line, complete = damage.line()
        parsed = parser.parse(STREAM, Record(0, line + b"\n"))
        found = [(entry.offset, entry.length) for entry in parsed if isinstance(entry, Entry)]
        report.complete += len(complete)
        report.lost += len(set(complete) - set(found))
        report.invented += len(found) - len(set(found) & set(complete))
    return report


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.salvage", description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    arguments = parser.parse_args()
    report = salvage(arguments.count, arguments.seed)
    counts = {name: getattr(report, name) for name in report.__struct_fields__}
    print(json.dumps({"seed": arguments.seed, "lines": arguments.count} | counts))
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main())
