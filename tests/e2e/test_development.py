"""`make dev`: a changed source starts the daemon again, a broken one waits for the next change."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trio

from ccod.testing.waiting import limit
from tests.e2e.home import Home

MAKE = ["make", "--no-print-directory"]  # these tests may be run by make
ROOT = Path(__file__).parents[2]

if not (ROOT / "Makefile").exists():
    pytest.skip("the Makefile is in the source tree", allow_module_level=True)


def test_help_lists_every_target() -> None:
    text = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.*)$", text, re.MULTILINE)
    assert phony
    targets = set(re.findall(r"^([a-z-]+):", text, re.MULTILINE))
    assert set(phony[1].split()) == targets
    shown = subprocess.run([*MAKE, "help"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert {line.split()[0] for line in shown.splitlines()} == targets


PLUGIN = """
import sys
from collections.abc import Iterable
from ccod import hookimpl
@hookimpl
def ccod_sources() -> Iterable[object]:
    print("sources:", {name!r}, file=sys.stderr)
    return []
"""


@contextmanager
def developing(home: Home) -> Iterator[subprocess.Popen[bytes]]:
    """Run what `make dev` runs, on the folder of the home's plugins."""
    made = subprocess.run(
        [*MAKE, "--dry-run", "--always-make", "dev", f"WATCH={home.plugins}", f"ARGS=--config {home.config}"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    command = made.stdout.strip().splitlines()[-1]
    with home.log.open("wb") as log:
        process = subprocess.Popen(
            ["/bin/sh", "-c", f"exec {command}"],
            cwd=ROOT,
            env=home.environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


async def test_a_changed_source_starts_the_daemon_again(tmp_path: Path) -> None:
    home = Home(tmp_path, {"log": {"format": "auto"}})
    home.install("odd", PLUGIN.format(name="first"))
    module = home.plugins / "ccod_odd.py"

    async def said(text: str, count: int = 1) -> None:
        with limit(60, f"{text!r} in {home.log.read_text()}"):
            while home.log.read_text().count(text) < count:
                await trio.sleep(0.05)

    with developing(home) as process:
        await said("sources: first")
        await said("ready")
        module.write_text(PLUGIN.format(name="second"))
        await said("sources: second")
        await said("ready", 2)
        module.write_text("def (")
        await said("cannot be imported")
        await said("ready", 3)  # without it
        module.write_text(PLUGIN.format(name="third"))
        await said("sources: third")
        await said("ready", 4)
        assert "stopped" in home.log.read_text()
        assert '"event"' not in home.log.read_text()  # lines for people
        process.terminate()
        with limit(20, "end"):
            while process.poll() is None:
                await trio.sleep(0.05)
    assert process.returncode == 0
    assert home.log.read_text().count("stopped") == 4
