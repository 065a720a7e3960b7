"""Every regular expression of ccod and its plugins on long text that is made to keep it busy: is its work linear?

    python -m tests.faults.patterns --size 100000

Each runs on text in which what it looks for begins again and again and never ends, first on little of it, so that none
can run for ever. It may take `LIMIT_MS` of the processor, or `SLOWER` times what a plain pattern takes for as much text
in the same run. A repetition of a repetition with nothing between is a violation by itself.
"""

from __future__ import annotations

import argparse
import importlib
import re
import sys
import time
from collections.abc import Iterator
from typing import Any

from msgspec import Struct, field

from tests.faults.finding_patterns import ONCE, ROOT, Pattern, in_source, made_at_run_time

SKIPPED = 77
LIMIT_MS, SLOWER = 50.0, 4.0
PLAIN = re.compile(r"[^\W_]+|\W")
SMALL = (20, 24, 28, 200, 2000)
COMMON = (
    "a",
    "A0",
    " ",
    "\n",
    "-",
    "_.",
    "=",
    ": ",
    '"',
    "'",
    "\\",
    "/",
    "<",
    "(",
    "0",
    "é",
    "\u2028",
    "a-",
    "a=",
    "x:",
)
ENDS = ("", "!", "\n\0")
SAMPLE_LENGTH = 40
PREFIXES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
PARSER: Any = importlib.import_module("re._parser")
REPEATS = {"MAX_REPEAT", "MIN_REPEAT"}


class Report(Struct):
    patterns: int = 0
    runs: int = 0
    slowest_ms: float = 0.0
    slowest: str = ""
    plain_ms: float = 0.0
    violations: list[str] = field(default_factory=list)


def run(size: int) -> Report:
    report = Report()
    unread: list[str] = []
    patterns = [*in_source(unread), *made_at_run_time()]
    report.violations += [f"not read: {each}" for each in unread]
    report.plain_ms = max(_spent(Pattern("", PLAIN), ("a " * size)[:size]) for _ in range(3))
    for pattern in patterns:
        report.patterns += 1
        if is_nested(PARSER.parse(pattern.compiled.pattern, pattern.compiled.flags & ~re.UNICODE)):
            report.violations.append(f"{pattern.where}: a repetition of a repetition: {pattern.compiled.pattern!r}")
        _try(pattern, size, report)
    return report


def _try(pattern: Pattern, size: int, report: Report) -> None:
    most = max(LIMIT_MS, SLOWER * report.plain_ms)
    for piece in pieces(pattern):
        for end in ENDS:
            for length in (*(each for each in SMALL if each < size), size):
                text = (piece * (length // len(piece) + 1))[:length] + end
                spent = min(_spent(pattern, text) for _ in range(2))
                report.runs += 1
                if spent > report.slowest_ms:
                    report.slowest_ms, report.slowest = spent, f"{pattern.where} on {piece!r}"
                if spent > most and min(spent, _spent(pattern, text)) > most:
                    report.violations.append(f"{pattern.where}: {spent:.0f} ms on {length} of {piece!r}")
                    return


def _spent(pattern: Pattern, text: str) -> float:
    """Return the milliseconds of the processor that all of a text takes."""
    given: Any = text.encode("utf-8", "replace") if isinstance(pattern.compiled.pattern, bytes) else text
    begin = time.process_time()
    if pattern.method in ONCE:
        getattr(pattern.compiled, pattern.method)(given)
    else:
        for _ in pattern.compiled.finditer(given):
            pass
    return 1000 * (time.process_time() - begin)


def pieces(pattern: Pattern) -> set[str]:
    """Return what begins as a pattern does, and what is common."""
    sample = "".join(sampled(PARSER.parse(pattern.compiled.pattern, pattern.compiled.flags & ~re.UNICODE)))
    sample = sample[:SAMPLE_LENGTH]
    return {*COMMON, *(sample[:end] for end in PREFIXES if end <= len(sample)), sample, sample[1:] or "a"} - {""}


def sampled(parsed: Any) -> Iterator[str]:
    """Yield parts of a text that matches a pattern, or nearly."""
    for kind, value in parsed:
        match str(kind):
            case "LITERAL":
                yield chr(value)
            case "NOT_LITERAL":
                yield "a" if value != ord("a") else "b"
            case "ANY":
                yield "a"
            case "IN":
                yield _of_class(value)
            case "BRANCH":
                yield from sampled(value[1][0])
            case "SUBPATTERN":
                yield from sampled(value[3])
            case "ATOMIC_GROUP":
                yield from sampled(value)
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
                yield "".join(sampled(value[2])) * max(1, min(value[0], SAMPLE_LENGTH))


def _of_class(members: Any) -> str:
    categories = {"CATEGORY_DIGIT": "0", "CATEGORY_SPACE": " ", "CATEGORY_WORD": "a"}
    for kind, value in members:
        match str(kind):
            case "LITERAL":
                return chr(value)
            case "RANGE":
                return chr(value[0])
            case "CATEGORY":
                return categories.get(str(value), "-")
    return "a"


def is_nested(parsed: Any) -> bool:
    """Tell whether a repetition without end repeats one without end, and nothing that must stand beside it."""
    for kind, value in parsed:
        inner = _inner(str(kind), value)
        if str(kind) in REPEATS and value[1] is PARSER.MAXREPEAT and any(map(_is_bare, _alternatives(value[2]))):
            return True
        if any(map(is_nested, inner)):
            return True
    return False


def _is_bare(parsed: Any) -> bool:
    """Tell whether a sequence is a repetition without end, beside which nothing has to stand."""
    needed = [(str(kind), value) for kind, value in parsed if not (str(kind) in REPEATS and value[0] == 0)]
    endless = [value for kind, value in parsed if str(kind) in REPEATS and value[1] is PARSER.MAXREPEAT]
    rest = [each for each in needed if not (each[0] in REPEATS and each[1][1] is PARSER.MAXREPEAT)]
    return bool(endless) and not rest


def _alternatives(parsed: Any) -> list[Any]:
    """Return the sequences that a group may stand for."""
    items = list(parsed)
    while len(items) == 1 and str(items[0][0]) == "SUBPATTERN":
        items = list(items[0][1][3])
    if len(items) == 1 and str(items[0][0]) == "BRANCH":
        return [list(each) for each in items[0][1][1]]
    return [items]


def _inner(kind: str, value: Any) -> list[Any]:
    match kind:
        case "BRANCH":
            return list(value[1])
        case "SUBPATTERN":
            return [value[3]]
        case "ATOMIC_GROUP":
            return [value]
        case "ASSERT" | "ASSERT_NOT":
            return [value[1]]
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            return [value[2]]
    return []


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.patterns", description=__doc__)
    parser.add_argument("--size", type=int, default=100_000, help="length of the text")
    parser.add_argument("--seed", type=int, default=0, help="not used: nothing here is left to chance")
    arguments = parser.parse_args()
    if not (ROOT / "ccod").is_dir():
        print("SKIPPED: the source is not here; no pattern was tried")
        return SKIPPED
    report = run(arguments.size)
    for violation in report.violations:
        print(f"VIOLATION: {violation}")
    slowest = f"the slowest took {report.slowest_ms:.0f} ms ({report.slowest}), a plain one {report.plain_ms:.0f} ms"
    print(f"{report.patterns} patterns, {report.runs} runs, {len(report.violations)} violations; {slowest}")
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main())
