"""`ccod demo`: a daemon of its own on a made-up history that grows, for people without Claude Code."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ccod import CcodError, UnavailableError

if TYPE_CHECKING:
    import subprocess

HISTORY = 9
PAUSE_SECONDS = 4.0
START_SECONDS, STOP_SECONDS = 60.0, 10.0
PROGRAM = "from ccod.start import main; main()"

TRY = """A made-up history is served at {url}
Nothing of yours is read or changed. Ctrl-C ends the demo, and nothing of it is left. In another terminal, try:

  ccod tail --config {config}
  ccod sessions --config {config}
  ccod show latest --config {config}
  ccod search checkout --config {config}
  ccod usage daily --config {config}
  curl {url}/api/conversations
"""


def demo_command() -> click.Command:
    @click.command()
    @click.option(
        "--port", type=click.IntRange(0, 65535), default=0, help="Port to serve on; any free one unless given."
    )
    @click.option(
        "--speed", type=click.FloatRange(0.1, 10_000), default=1.0, show_default=True, help="How much faster."
    )
    @click.option("--once", is_flag=True, help="End after one conversation, instead of by Ctrl-C.")
    def demo(port: int, speed: float, once: bool) -> None:
        """Serve a made-up history that grows, with settings, database and folders of its own, which go when it ends.

        Example: ccod demo --speed 5
        """
        import tempfile

        signal.signal(signal.SIGTERM, signal.default_int_handler)
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # as nohup sets it
            signal.signal(signal.SIGHUP, signal.default_int_handler)  # the terminal was closed
        with suppress(KeyboardInterrupt), tempfile.TemporaryDirectory(prefix="ccod-demo-") as folder:
            home = Path(folder)
            root = _write(home, port or _free_port())
            with _daemon(home) as process:
                url = _ready(process, home / "log")
                click.echo(TRY.format(url=url, config=home / "config.toml"))
                _grow(root, process, speed, once=once)

    return demo


def _write(home: Path, port: int) -> Path:
    """Write settings and a history, and return the `projects` folder."""
    from ccod_claude.samples import sample_transcripts

    root = home / "projects"
    for path, content in sample_transcripts(datetime.now(UTC), HISTORY).items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    tables: dict[str, dict[str, Any]] = {
        "http": {"port": port, "socket": str(home / "ccod.sock")},
        "metrics": {"enabled": False},  # a daemon of yours may have the port
        "claude": {"roots": [str(root)]},
        "sqlite": {"path": str(home / "data" / "ccod.db")},
        "log": {"format": "json"},
    }
    lines = [
        f"[{table}]\n" + "".join(f"{k} = {json.dumps(v)}\n" for k, v in some.items()) for table, some in tables.items()
    ]
    (home / "config.toml").write_text("".join(lines))
    return root


@contextmanager
def _daemon(home: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a daemon that sees no setting but its own."""
    import subprocess

    environment = {name: os.environ[name] for name in ("PATH", "LANG", "PYTHONPATH") if name in os.environ}
    environment |= {"HOME": str(home), "XDG_CONFIG_HOME": str(home), "XDG_DATA_HOME": str(home)}
    command = [sys.executable, "-c", PROGRAM, "serve", "--config", str(home / "config.toml")]
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603
            command, stdout=subprocess.DEVNULL, stderr=log, env=environment, start_new_session=True
        )
    try:
        yield process
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
        process.kill()
        process.wait()


def _ready(process: subprocess.Popen[bytes], log: Path) -> str:
    """Wait until the daemon serves, and return where. Raises CcodError with its last words."""
    until = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < until:
        told = [
            json.loads(line) for line in log.read_text().splitlines() if line.startswith("{") and line.endswith("}")
        ]
        if any(each["event"] == "ready" for each in told):
            return str(next(each["url"] for each in told if each["event"] == "listening"))
        time.sleep(0.05)
    last = log.read_text().splitlines()[-1:]
    raise UnavailableError(f"the demo's daemon did not start: {last[0] if last else 'it said nothing'}")


def _grow(root: Path, process: subprocess.Popen[bytes], speed: float, *, once: bool) -> None:
    """Write conversations as slowly as people and Claude Code do."""
    from ccod_claude.samples import Session

    for number in count(HISTORY):
        session = Session(number)
        path = root / session.path
        path.parent.mkdir(parents=True, exist_ok=True)
        for step in session.steps:
            for line in session.lines(step, datetime.now(UTC), last=step is session.steps[-1]):
                with path.open("ab") as file:
                    file.write(line)
                time.sleep(PAUSE_SECONDS / speed)
                if process.poll() is not None:
                    raise CcodError(f"the demo's daemon ended with exit code {process.returncode}; start another demo")
        if once:
            return


def _free_port() -> int:
    import socket

    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])
