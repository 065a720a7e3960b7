"""Let a daemon have few files, and open more connections than it can: does it come back, and does it say so once?

    python -m tests.faults.descriptors --connections 200

Once the daemon has 64 files from the start, and takes half of them for connections; once files are taken away while it
runs, and it is the kernel that refuses. A transcript grows meanwhile: not one line of it may be missing in the end.
"""

# ruff: noqa: ASYNC240 - what a test does to small local files takes no time

from __future__ import annotations

import argparse
import json
import resource
import shutil
import sys
import tempfile
from functools import partial
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import trio
from msgspec import Struct, field

from ccod.testing.waiting import eventually
from tests.e2e.daemon import Daemon, open_daemon
from tests.e2e.lines import SESSION, line

SKIPPED = 77
FILES, SPARE = 64, 4
HOLD_SECONDS, RECOVER_SECONDS = 5.0, 10.0
MOST_LINES = 10
LINES = 20


class Report(Struct):
    """How many connections were taken, after how long others were served again, and what was said meanwhile."""

    connections: int = 0
    recovered_seconds: float = 0.0
    lines: int = 0
    stored: int = 0
    violations: list[str] = field(default_factory=list)


async def run(folder: Path, connections: int, *, late: bool, hold: float = HOLD_SECONDS) -> Report:
    """Open connections for `hold` seconds, with few files from the start or, if `late`, from then on."""
    report = Report()
    async with open_daemon(folder, {"http": {"host": "127.0.0.1"}}, start=False) as daemon:
        transcript = daemon.home.root / "-home-dev-demo" / f"{SESSION}.jsonl"
        transcript.parent.mkdir()
        transcript.write_bytes(line("the first"))
        await daemon.start([] if late else ["prlimit", f"--nofile={FILES}"])
        await eventually(lambda: _has(daemon, 1), "the first line")
        if late:
            most = len(list(Path(f"/proc/{daemon.process.pid}/fd").iterdir())) + SPARE
            resource.prlimit(daemon.process.pid, resource.RLIMIT_NOFILE, (most, most))
        before = len(daemon.stderr)
        async with trio.open_nursery() as nursery:
            for _ in range(connections):
                nursery.start_soon(_hold, urlsplit(daemon.url).port or 0, report)
            with transcript.open("ab") as file:
                for number in range(LINES - 1):
                    file.write(line(f"line {number}"))
                    file.flush()
                    await trio.sleep(hold / LINES)
            nursery.cancel_scope.cancel()
        began = trio.current_time()
        await eventually(lambda: _answers(daemon), "answer after the release", 6 * RECOVER_SECONDS)
        report.recovered_seconds = trio.current_time() - began
        await eventually(lambda: _has(daemon, LINES), "all lines", 60)
        report.stored = LINES
        said = [each for each in daemon.stderr[before:] if '"event": "request"' not in each]
        report.lines = len(said)
        if len(said) > MOST_LINES:
            report.violations += [f"said {len(said)} lines: {each[:200]}" for each in said[: MOST_LINES + 1]]
        code = await daemon.terminate()
        report.violations += [f"exit {code}"] if code else []
    return report


async def _hold(port: int, report: Report) -> None:
    """Connect, if the kernel lets one in, and stay."""
    async with await trio.open_tcp_stream("127.0.0.1", port):
        report.connections += 1
        await trio.sleep_forever()


async def _has(daemon: Daemon, count: int) -> bool:
    found = (await daemon.get("/api/conversations"))["data"]
    return bool(found) and found[0]["messageCount"] == count


async def _answers(daemon: Daemon) -> bool:
    """Ask as a new client; a connection that was open before would be no news."""
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=2) as client:
            return (await client.get(f"{daemon.url}/health")).status_code == HTTPStatus.OK
    except httpx.TransportError:
        return False


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.descriptors", description=__doc__)
    parser.add_argument("--connections", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0, help="not used: nothing here is left to chance")
    arguments = parser.parse_args()
    if shutil.which("prlimit") is None:
        print("SKIPPED: prlimit is not installed (apt install util-linux); no file was taken away")
        return SKIPPED
    failed = False
    for late in (False, True):
        with tempfile.TemporaryDirectory(prefix="ccod-descriptors-") as folder:
            report = trio.run(partial(run, Path(folder), arguments.connections, late=late))
        if report.recovered_seconds > RECOVER_SECONDS:
            report.violations.append(f"recovered after {report.recovered_seconds:.0f} s")
        for violation in report.violations:
            print(f"VIOLATION: {violation}")
        counts = {name: getattr(report, name) for name in report.__struct_fields__ if name != "violations"}
        print(json.dumps({"files": "taken away" if late else FILES} | counts), flush=True)
        failed |= bool(report.violations)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
