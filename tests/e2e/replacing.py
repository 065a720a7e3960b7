"""Runs the end-to-end tests again for each role of which something else than the built-in plugin takes charge.

python -m tests.e2e.replacing [--smoke] [--only PLUGIN]

It needs an environment with the distributions of contrib/ in it: contrib/replace-test makes one.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import trio
from msgspec import Struct

from tests import postgres, redisserver
from tests.e2e.home import REPLACED
from tests.e2e.receiving import receiving
from tests.e2e.replacements import HERE, OF_THEMSELVES, REPLACEMENTS, Replacement


class Outcome(Struct, frozen=True):
    replacement: Replacement
    passed: int
    failed: int
    skipped: int
    seconds: float


async def run(replacement: Replacement, *, smoke: bool) -> Outcome | None:
    """Run its tests, with every daemon in them configured for it. What a sink sent nobody is a failure, too.

    Return None where a server that it needs is not installed.
    """
    print(f"\n=== {replacement.role}: {replacement.plugin}", flush=True)
    server = SERVERS.get(replacement.plugin)
    if server is None:
        return await run_on(replacement, {}, smoke=smoke)
    if reason := server.reason_to_skip():
        print(f"skipped: {reason}", flush=True)
        return None
    with server.running() as told:
        return await run_on(replacement, told, smoke=smoke)


class Server(Struct, frozen=True):
    """What a plugin needs beside the daemon; `running` yields what every home is told of it."""

    reason_to_skip: Callable[[], str | None]
    running: Callable[[], AbstractContextManager[Mapping[str, Any]]]


@contextmanager
def postgres_running() -> Iterator[Mapping[str, Any]]:
    with postgres.running() as server:
        yield {"postgres": str(server.folder)}


@contextmanager
def redis_running() -> Iterator[Mapping[str, Any]]:
    with redisserver.running() as server:
        yield {"variables": {"CCOD_REDIS__URL": server.url}}


SERVERS = {
    "postgres": Server(postgres.reason_to_skip, postgres_running),
    "redis": Server(redisserver.reason_to_skip, redis_running),
}


async def run_on(replacement: Replacement, server: Mapping[str, Any], *, smoke: bool) -> Outcome:
    with tempfile.TemporaryDirectory() as folder:
        async with receiving() as receiver:
            variables = {**replacement.configuration(Path(folder), receiver.url), **server.get("variables", {})}
            told = json.dumps({**server, "variables": variables, "asked": [*replacement.asked]})
            report = Path(folder) / "report.xml"
            command = [sys.executable, *arguments(replacement, smoke=smoke), f"--junitxml={report}"]
            began = trio.current_time()
            done = await trio.run_process(command, check=False, env=os.environ | {REPLACED: told})
            seconds = trio.current_time() - began
        if replacement.role == "sink" and not receiver.taken:
            print(f"nothing was sent to {receiver.url}")
            return Outcome(replacement, 0, 1, 0, seconds)
        return outcome(replacement, report, done.returncode, seconds)


def arguments(replacement: Replacement, *, smoke: bool) -> Sequence[str]:
    """Return what Python is to run."""
    files = replacement.smoke if smoke else replacement.tests
    left_out = {**OF_THEMSELVES, **replacement.left_out}
    for name, reason in left_out.items():
        if any(name.startswith(file) for file in files):
            print(f"left out: {name}: {reason}", flush=True)
    return [
        *("-m", "pytest", "-q", "-n", "2", "--dist", "loadfile", "--timeout=600"),
        *(f"--deselect={name}" for name in left_out),
        *files,
    ]


def outcome(replacement: Replacement, report: Path, code: int, seconds: float) -> Outcome:
    """Return what pytest reported; that nothing ran is a failure."""
    if not report.exists():
        return Outcome(replacement, 0, 1, 0, seconds)
    (suite,) = ElementTree.parse(report).getroot().iter("testsuite")
    bad, skipped = int(suite.get("failures", 0)) + int(suite.get("errors", 0)), int(suite.get("skipped", 0))
    passed = int(suite.get("tests", 0)) - bad - skipped
    return Outcome(replacement, passed, bad or int(code != 0), skipped, seconds)


def table(outcomes: Sequence[Outcome]) -> str:
    rows = [f"{'role':<20}{'replacement':<14}{'passed':>8}{'failed':>8}{'skipped':>9}{'left out':>10}{'seconds':>9}"]
    for each in outcomes:
        what = each.replacement
        rows.append(
            f"{what.role:<20}{what.plugin:<14}{each.passed:>8}{each.failed:>8}{each.skipped:>9}"
            f"{len(what.left_out):>10}{each.seconds:>9.0f}"
        )
    return "\n".join(rows)


async def run_all(chosen: Sequence[Replacement], *, smoke: bool) -> int:
    """Run one after the other, print the table, and return 1 if anything failed."""
    outcomes = [outcome for each in chosen if (outcome := await run(each, smoke=smoke)) is not None]
    print(f"\n{table(outcomes)}")
    print(f"and {len(OF_THEMSELVES)} files and tests below {HERE} that ask no daemon of these folders")
    return int(any(each.failed for each in outcomes))


def main() -> int:
    names = sorted({each.plugin for each in REPLACEMENTS})
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.replacing", description=__doc__.splitlines()[0])
    parser.add_argument("--smoke", action="store_true", help="a handful of files for each role")
    parser.add_argument("--only", metavar="PLUGIN", choices=names, help=f"this one alone: {', '.join(names)}")
    chosen = parser.parse_args()
    replacements = [each for each in REPLACEMENTS if chosen.only in {None, each.plugin}]
    return trio.run(lambda: run_all(replacements, smoke=chosen.smoke))


if __name__ == "__main__":
    sys.exit(main())
