"""`ccod demo`, and the sample transcripts behind it."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from ccod_claude.samples import sample_transcripts
from tests.e2e.daemon import CCOD
from tests.e2e.running import eventually, run, usual_home


def test_samples_are_the_same_each_time_and_whole() -> None:
    until = datetime(2026, 1, 31, tzinfo=UTC)
    found = sample_transcripts(until)
    assert found == sample_transcripts(until)
    assert len(found) == 9
    for path, content in found.items():
        lines = [json.loads(line) for line in content.splitlines()]
        assert {line["sessionId"] for line in lines} == {Path(path).stem}
        assert lines[-1]["message"]["stop_reason"] == "end_turn"
        assert max(line["timestamp"] for line in lines) < "2026-01-30T23:00:00.001Z"


def test_the_demo_serves_a_history_that_grows_and_leaves_nothing(tmp_path: Path) -> None:
    home = usual_home(tmp_path)
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    environment = home.environment | {"TMPDIR": str(temporary), "PORT": "1", "CCOD_HTTP__PORT": "x"}
    before = {path for path in tmp_path.rglob("*") if temporary not in (path, *path.parents)}
    with subprocess.Popen(
        [str(CCOD), "demo", "--speed", "40"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stderr
        try:
            assert process.stdout.readline().startswith("A made-up history is served at http://localhost:")
            (config,) = temporary.glob("ccod-demo-*/config.toml")

            def working() -> bool:
                told = json.loads(run(home, "status", "--json", "--config", str(config)).stdout)["status"]
                return bool(told["storage"]["conversations"] > 9 and told["today"]["responseCount"])

            eventually(working, 60)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)
        assert (process.returncode, process.stderr.read()) == (0, "")
    assert list(temporary.iterdir()) == []
    assert {path for path in tmp_path.rglob("*") if temporary not in (path, *path.parents)} == before


def test_closing_the_terminal_ends_the_demo_and_leaves_nothing(tmp_path: Path) -> None:
    home = usual_home(tmp_path)
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    environment = home.environment | {"TMPDIR": str(temporary)}
    before = signal.signal(
        signal.SIGHUP, signal.SIG_DFL
    )  # under nohup the demo would outlive the terminal, as it should
    try:
        process = subprocess.Popen([str(CCOD), "demo"], env=environment, stdout=subprocess.PIPE, text=True)
    finally:
        signal.signal(signal.SIGHUP, before)
    with process:
        try:
            assert process.stdout
            assert process.stdout.readline().startswith("A made-up history is served at http://localhost:")
            (config,) = temporary.glob("ccod-demo-*/config.toml")
            process.send_signal(signal.SIGHUP)
            process.wait(30)
        finally:
            process.kill()
    assert process.returncode == 0
    assert list(temporary.iterdir()) == []
    assert not [each for each in Path("/proc").glob("[0-9]*/cmdline") if str(config).encode() in _read(each)]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""  # gone meanwhile


def test_the_demo_may_end_by_itself_and_run_beside_a_daemon_and_plugins_that_print(tmp_path: Path) -> None:
    home = usual_home(tmp_path)
    home.install("chatty", """print('{"seq": 1}', flush=True)""")
    with socket.socket() as metrics:
        metrics.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with suppress(OSError):  # somebody has that port already
            metrics.bind(("127.0.0.1", 3001))
            metrics.listen()
        done = run(home, "demo", "--once", "--speed", "10000", TMPDIR=str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
