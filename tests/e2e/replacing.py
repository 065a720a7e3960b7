"""Runs the end-to-end tests again for each role of which something else than the built-in plugin takes charge.

python -m tests.e2e.replacing [--smoke] [--only PLUGIN]

It needs an environment with the distributions of contrib/ in it: contrib/replace-test makes one.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from xml.etree import ElementTree

from msgspec import Struct

from tests.e2e.home import REPLACED
from tests.e2e.replacements import OF_PAGES, REPLACEMENTS, Replacement

HERE = "tests/e2e"
NOTHING_RAN = 5


class Outcome(Struct, frozen=True):
    replacement: Replacement
    passed: int
    failed: int
    skipped: int
    seconds: float


class Receiver(BaseHTTPRequestHandler):
    """Takes whatever is posted."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """It is of no interest."""


@contextmanager
def receiver() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/"
        finally:
            server.shutdown()
            thread.join()


def run(replacement: Replacement, url: str, *, smoke: bool) -> Outcome:
    print(f"\n=== {replacement.role}: {replacement.plugin}", flush=True)
    left_out = {**OF_PAGES, **replacement.left_out}
    files = [f"{HERE}/{name}" for name in ("test_replaced.py", *replacement.smoke)] if smoke else [HERE]
    for name, reason in left_out.items():
        if not smoke or name.partition("::")[0] in replacement.smoke:
            print(f"left out: {name}: {reason}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        variables = replacement.configuration(Path(folder))
        if replacement.plugin == "webhook":
            variables["CCOD_WEBHOOK__URL"] = url
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadfile", f"--junitxml={report}"]
        command += [f"--deselect={HERE}/{name}" for name in left_out]
        told = json.dumps({"variables": variables, "asked": [*replacement.asked]})
        began = time.monotonic()
        code = subprocess.run([*command, *files], check=False, env=os.environ | {REPLACED: told}).returncode
        seconds = time.monotonic() - began
        if not report.exists():
            return Outcome(replacement, 0, 1, 0, seconds)
        (suite,) = ElementTree.parse(report).getroot().iter("testsuite")
    bad, skipped = int(suite.get("failures", 0)) + int(suite.get("errors", 0)), int(suite.get("skipped", 0))
    passed = int(suite.get("tests", 0)) - bad - skipped
    return Outcome(replacement, passed, bad or int(code != 0), skipped, seconds)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.replacing", description=__doc__.splitlines()[0])
    parser.add_argument("--smoke", action="store_true", help="a handful of files for each role")
    parser.add_argument("--only", metavar="PLUGIN", help="one replacement alone")
    chosen = parser.parse_args()
    with receiver() as url:
        outcomes = [run(each, url, smoke=chosen.smoke) for each in REPLACEMENTS if chosen.only in {None, each.plugin}]
    print(f"\n{'role':<20}{'replacement':<14}{'passed':>8}{'failed':>8}{'skipped':>9}{'left out':>10}{'seconds':>9}")
    for each in outcomes:
        what = each.replacement
        print(
            f"{what.role:<20}{what.plugin:<14}{each.passed:>8}{each.failed:>8}{each.skipped:>9}"
            f"{len(what.left_out):>10}{each.seconds:>9.0f}"
        )
    print(f"and {len(OF_PAGES)} files each time that start no daemon of these folders")
    return int(not outcomes or any(each.failed for each in outcomes))


if __name__ == "__main__":
    sys.exit(main())
