"""A daemon that the tests of a module share, and commands that ask it; for tests that are no coroutines."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ccod.testing.daemon import START_SECONDS, STOP_SECONDS
from tests.e2e.daemon import CCOD
from tests.e2e.home import Home, Tables


class Running:
    """A daemon whose configuration is where `ccod` looks for it, and whose Unix socket is where it looks for that."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.url = ""

    def ccod(self, *arguments: str, code: int = 0, **environment: str) -> str:
        """Run a command, which must end with this exit code, and return what it printed."""
        done = run(self.home, *arguments, **environment)
        assert done.returncode == code, f"exit {done.returncode}: {done.stdout}{done.stderr}"
        return done.stdout

    def json(self, *arguments: str, code: int = 0) -> Any:
        """Run a command with `--json` and return the object that it printed."""
        answer = json.loads(self.ccod(*arguments, "--json", code=code))
        assert answer["schemaVersion"] == 1
        return answer


def run(home: Home, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command that should end by itself."""
    return subprocess.run(
        [str(CCOD), *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
        cwd=home.path,
        env=home.environment | environment,
    )


def usual_home(path: Path, tables: Tables | None = None) -> Home:
    """Return folders for a daemon with all files where `ccod` looks for them."""
    runtime = path / "runtime"
    runtime.mkdir(mode=0o700, parents=True)
    home = Home(path, tables)
    home.variables["XDG_RUNTIME_DIR"] = str(runtime)
    (path / "config" / "ccod").mkdir(parents=True)
    home.config = home.config.rename(path / "config" / "ccod" / "config.toml")
    return home


@contextmanager
def running(home: Home) -> Iterator[Running]:
    """Run a daemon; its files must be in place before."""
    with home.log.open("wb") as log:
        process = subprocess.Popen([str(CCOD), "serve"], stdout=log, stderr=log, cwd=home.path, env=home.environment)
    try:
        daemon = Running(home)
        daemon.url = _logged(process, home, "listening")["url"]
        _logged(process, home, "ready")
        yield daemon
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        finally:
            process.kill()


def _logged(process: subprocess.Popen[bytes], home: Home, event: str) -> dict[str, Any]:
    """Wait until the daemon has logged `event`."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        for line in home.log.read_text().splitlines():
            if line.startswith("{") and (fields := json.loads(line)).get("event") == event:
                found: dict[str, Any] = fields
                return found
        time.sleep(0.02)
    raise AssertionError(f"no {event!r}: {home.log.read_text()}")


def eventually(answer: Any, seconds: float = 20) -> Any:
    """Ask again and again until the answer is true, and return it."""
    until = time.monotonic() + seconds
    while not (found := answer()):
        assert time.monotonic() < until, "it did not come about"
        time.sleep(0.05)
    return found
