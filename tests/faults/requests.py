"""Say every hostile request there is to a running daemon, raw and by turns of chance, and see that it goes on serving.

    python -m tests.faults.requests --rounds 3 --seed 1

The requests and their answers are those of `tests/plugins/http/hostile.py`. Whatever they hold, every line of the log
must be one JSON object, of which no part was said by a client.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import trio
from msgspec import Struct, field

from tests.e2e.daemon import Daemon, open_daemon
from tests.plugins.http.hostile import GROUPS, Row
from tests.plugins.http.serving import read_all
from tests.plugins.http.test_http_hostile import faults

AT_ONCE = 8
PROBE = b"/echo"
"""The WebSocket of the server in tests; a daemon has its own."""


class Report(Struct):
    said: int = 0
    lines: int = 0
    violations: list[str] = field(default_factory=list)


async def run(folder: Path, rounds: int, seed: int, groups: frozenset[str] = frozenset(GROUPS)) -> Report:
    """Say all requests of some groups in `rounds` orders, some at once."""
    dice, report = random.Random(seed), Report()
    rows = [(name, row) for group in sorted(groups) for name, row in GROUPS[group].items()]
    async with open_daemon(folder, {"http": {"limits": {"window": 0}}, "log": {"level": "debug"}}) as daemon:
        for _ in range(rounds):
            await _say_all(daemon, dice.sample(rows, len(rows)), report)
            assert daemon.process.returncode is None, daemon.report()
            health = (await daemon.get("/health"))["data"]["status"]
            report.violations += [] if health == "healthy" else [f"the daemon is {health}"]
        code = await daemon.terminate()
        report.violations += [f"exit {code}"] if code else []
        report.lines = len(daemon.stderr)
        report.violations += [f"forged: {said[:200]}" for said in daemon.stderr if not is_whole(said)]
    return report


async def _say_all(daemon: Daemon, rows: list[tuple[str, Row]], report: Report) -> None:
    left = iter(rows)

    async def one() -> None:
        for name, (parts, status) in left:
            answer = await _say(daemon, *(part.replace(PROBE, b"/ws") for part in parts))
            report.said += 1
            report.violations += [f"{name[:80]}: {fault}" for fault in faults(answer, status)]

    async with trio.open_nursery() as nursery:
        for _ in range(AT_ONCE):
            nursery.start_soon(one)


async def _say(daemon: Daemon, *parts: bytes) -> bytes:
    async with await trio.open_tcp_stream("127.0.0.1", urlsplit(daemon.url).port or 0) as stream:
        try:
            for part in parts:
                await stream.send_all(part)
        except trio.BrokenResourceError:
            pass  # refused before it was all said; the answer may be there
        return await read_all(stream)


def is_whole(said: str) -> bool:
    """Tell whether a line of the log is one JSON object of plain characters that tells of no fault."""
    try:
        fields = json.loads(said)
    except ValueError:
        return False
    plain = said.isascii() and said.isprintable()
    return plain and isinstance(fields, dict) and "exception" not in fields and fields["level"] != "error"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.requests", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="ccod-requests-") as folder:
        report = trio.run(run, Path(folder), arguments.rounds, arguments.seed)
    for violation in report.violations:
        print(f"VIOLATION: {violation}")
    print(f"{report.said} requests, {report.lines} lines of log, {len(report.violations)} violations")
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main())
