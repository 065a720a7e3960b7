"""Mutate lines in every way that comes to mind: the parser never raises, and never takes long.

python -m tests.faults.mutation --count 100000 --seed 1
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time

from msgspec import Struct

from ccod import Entry, Record, Unparsed
from ccod_claude.parser import ClaudeParser
from tests.faults.salvage import STREAM, Damage

MOST_MS = 1000
PIECES = [
    *(b"\x00" * 50, b"\xff\xfe", b"\\ud83d", b"\xed\xa0\x80", b"[" * 3000, b'{"a":' * 3000, b"9" * 5000, b"1e999"),
    *(b'"type"', b"null", b"-", b"NaN", b'{"type":"assistant","message":{"usage":{"output_tokens":-1}}}', b"\r", b"}{"),
    *(b"true", b'"sessionId":[]', b'"timestamp":1e300', b'"usage":"x"', b'"content":[[[]]]', b"\xef\xbb\xbf"),
]


class Report(Struct):
    lines: int = 0
    raised: int = 0
    slow: int = 0
    misplaced: int = 0
    slowest_ms: float = 0

    @property
    def violations(self) -> int:
        return self.raised + self.slow + self.misplaced


def mutated(line: bytes, dice: random.Random) -> bytes:
    data = bytearray(line)
    for _ in range(dice.randint(1, 5)):
        at = dice.randrange(len(data) + 1)
        match dice.randrange(5):
            case 0:
                data[at : at + 1] = bytes([dice.randrange(256)])
            case 1:
                data[at:at] = dice.choice(PIECES)
            case 2:
                del data[at : at + dice.randint(1, 40)]
            case 3:
                data[at:at] = data[dice.randrange(len(data) + 1) :][: dice.randint(1, 500)]
            case _:
                data[at : at + dice.randint(1, 20)] = dice.choice(PIECES)
    return bytes(data).replace(b"\n", b" ")


def mutation(count: int, seed: int) -> Report:
    dice, parser, report = random.Random(seed), ClaudeParser(), Report()
    damage = Damage(dice)
    for _ in range(count):
        line = mutated(damage.line()[0], dice)
        began = time.perf_counter()
        try:
            found = list(parser.parse(STREAM, Record(0, line + b"\n")))
            for item in found:
                if isinstance(item, Entry) and item.role:
                    parser.content(line[item.offset : item.offset + item.length])
        except Exception as error:  # noqa: BLE001
            print(f"{error!r}: {line[:200]!r}")
            report.raised += 1
            continue
        took = 1000 * (time.perf_counter() - began)
        report.lines += 1
        report.slow += took > MOST_MS
        report.slowest_ms = max(report.slowest_ms, took)
        report.misplaced += not _in_order(found, len(line))
    return report


def _in_order(found: list[Entry | Unparsed], size: int) -> bool:
    """Tell whether all that was found lies on the line, one after the other."""
    at = 0
    for item in found:
        if item.offset < at or item.length <= 0:
            return False
        at = item.offset + item.length
    return at <= size


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.mutation", description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    arguments = parser.parse_args()
    report = mutation(arguments.count, arguments.seed)
    print(json.dumps({"seed": arguments.seed} | {name: getattr(report, name) for name in report.__struct_fields__}))
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main())
