"""The Autobahn test suite against the hub's own server stack.

python -m tests.faults.autobahn --cases 517

It needs Python 2.7, which it looks for under ~/.pyenv and on the path, and installs itself into a folder of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import trio

from tests.e2e.daemon import open_daemon

SKIPPED = 77
GOOD = {"OK", "NON-STRICT", "INFORMATIONAL", "UNIMPLEMENTED"}
ALL = 517
FEW = ["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "10.*"]
RUN_SECONDS = 3600
ECHO = '''
"""A WebSocket that says what it hears, with room for the largest messages of the suite."""

from quart import websocket

from ccod import hookimpl
from ccod_http import guards, socketguards
from ccod_http.web import Routes

guards.GuardedConfig.websocket_max_message_size = socketguards.MessageDeflate.limit = 32 * 1024 * 1024
routes = Routes("echo", __name__)


@routes.websocket("/echo", access="read")
async def echo() -> None:
    """Say what is heard."""
    await websocket.accept()
    while True:
        message = await websocket.receive()
        await websocket.send(b"" if message is None else message)  # Quart-Trio's way to say that it was empty


@hookimpl
def ccod_http_blueprints():
    return [routes]
'''


def python2() -> str | None:
    """Return a Python 2.7, or None."""
    places = sorted(Path("~/.pyenv/versions").expanduser().glob("2.7*/bin/python2.7"))
    return str(places[-1]) if places else shutil.which("python2.7")


def install(python: str, folder: Path) -> bool:
    """Put the test suite into `folder`, if it is not there; tell whether that went well."""
    if (folder / "bin" / "wstest").exists():
        return True
    command = [python, "-m", "pip", "install", "--quiet", f"--target={folder}", "autobahntestsuite"]
    if subprocess.run(command, check=False, stdout=sys.stderr).returncode:
        return False
    (folder / "zope" / "__init__.py").touch()
    return True


async def run(python: str, suite: Path, folder: Path, cases: list[str]) -> Counter[str]:
    """Run cases against a daemon, and return how often each verdict was given."""
    async with open_daemon(folder / "home", start=False) as daemon:
        daemon.home.install("echo", ECHO)
        await daemon.start()
        spec = {
            "outdir": str(folder / "reports"),
            "servers": [{"agent": "ccod", "url": daemon.url.replace("http", "ws") + "/echo"}],
            "cases": cases,
            "exclude-cases": [],
            "exclude-agent-cases": {},
        }
        (folder / "spec.json").write_text(json.dumps(spec))
        with trio.fail_after(RUN_SECONDS):
            await trio.run_process(
                [python, str(suite / "bin" / "wstest"), "-m", "fuzzingclient", "-s", str(folder / "spec.json")],
                env=os.environ | {"PYTHONPATH": str(suite)},
                stdout=subprocess.DEVNULL,
                cwd=folder,
            )
        assert await daemon.terminate() == 0, daemon.report()
    outcomes = json.loads((folder / "reports" / "index.json").read_text())["ccod"]
    for case, outcome in outcomes.items():
        for part in ("behavior", "behaviorClose"):
            if outcome[part] not in GOOD:
                print(f"case {case}: {part} {outcome[part]}")
    return Counter(
        "FAILED" if {outcome["behavior"], outcome["behaviorClose"]} - GOOD else outcome["behavior"]
        for outcome in outcomes.values()
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.autobahn", description=__doc__)
    parser.add_argument("--cases", type=int, default=ALL, help=f"{ALL} are all; less leaves out the long ones")
    parser.add_argument("--suite", type=Path, help="folder that holds the suite, or is to hold it")
    parser.add_argument("--seed", type=int, default=0, help="not used: nothing here is left to chance")
    arguments = parser.parse_args()
    python = python2()
    with tempfile.TemporaryDirectory(prefix="ccod-autobahn-") as folder:
        suite = arguments.suite or Path(folder) / "suite"
        if python is None or not install(python, suite):
            print(f"SKIPPED: the Autobahn test suite needs Python 2.7 and a package index; found {python}", flush=True)
            return SKIPPED
        cases = ["*"] if arguments.cases >= ALL else FEW
        verdicts = trio.run(run, python, suite, Path(folder), cases)
    print(json.dumps({"cases": verdicts.total(), **verdicts}))
    return 1 if verdicts["FAILED"] or (arguments.cases >= ALL and verdicts.total() != ALL) else 0


if __name__ == "__main__":
    sys.exit(main())
