"""`ccod status`: what it tells, by which way it asks, and how little it needs for that."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import ccod
from ccod.testing.home import UNMEASURED
from tests.e2e.home import Home
from tests.e2e.lines import answer, line
from tests.e2e.running import Running, eventually, run, running, usual_home

HEAVY = (
    "quart",
    "sqlalchemy",
    "trio",
    "rich",
    "click",
    "pluggy",
    "msgspec",
    "structlog",
    "importlib.metadata",
    "email",
)


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    home = usual_home(tmp_path_factory.mktemp("status"))
    folder = home.root / "-home-dev-demo"
    folder.mkdir(parents=True)
    (folder / "0b1e2f3a-4c5d-4e6f-8a9b-0c1d2e3f4a5b.jsonl").write_bytes(line("hello") + answer("ls", tool="Bash"))
    with running(home) as daemon:
        eventually(lambda: daemon.json("status")["status"]["storage"]["messages"] == 2)
        yield daemon


def test_status_tells_what_is_stored_and_what_goes_on(daemon: Running) -> None:
    found = daemon.json("status")["status"]
    assert found["status"] == "healthy"
    assert found["version"] == ccod.__version__
    assert found["servedAt"] == [daemon.url, str(daemon.home.path / "runtime" / "ccod" / "ccod.sock")]
    assert found["services"]["storage"] == {"state": "running", "reason": ""}
    assert {"projects": 1, "conversations": 1, "messages": 2}.items() <= found["storage"].items()
    assert found["sessions"] == {"active": 0, "pending_tool": 1, "waiting": 0, "error": 0}
    assert found["today"]["responseCount"] == 1
    assert found["today"]["usage"]["totalTokens"] == 8


def test_status_for_a_person_is_one_screen(daemon: Running) -> None:
    text = daemon.ccod("status")
    assert text.startswith(f"ccod {ccod.__version__} is well: up ")
    assert "1 projects, 1 conversations, 2 messages" in text
    assert "1 working, 0 waiting for you, 0 failed" in text
    assert len(text.splitlines()) < 24


def test_the_quick_way_and_the_other_say_the_same(daemon: Running) -> None:
    quick, slow = daemon.json("status"), daemon.json("status", "--set", "log.level=info")
    for found in (quick, slow):
        assert found["status"].pop("uptime") > 0
        found["status"].pop("startedAt")
        found["status"]["storage"].pop("journal")
    assert quick == slow


@pytest.mark.parametrize("written", ["", "socket = '{}/other.sock'"])
def test_the_quick_way_finds_the_socket_that_the_settings_name(tmp_path: Path, daemon: Running, written: str) -> None:
    from ccod_status.quick import main

    program = "import sys; from ccod_status.quick import main; sys.exit(main([]))"
    environment = dict(daemon.home.environment)
    if written:
        (tmp_path / "ccod").mkdir()
        (tmp_path / "ccod" / "config.toml").write_text("[http]\n# socket = ''\n" + written.format(tmp_path))
        (tmp_path / "other.sock").symlink_to(daemon.home.path / "runtime" / "ccod" / "ccod.sock")
        environment |= {"XDG_CONFIG_HOME": str(tmp_path), "XDG_RUNTIME_DIR": "/nowhere"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.startswith("ccod "), done.stderr
    assert main(["--help"]) is None


def imported(home: Home, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `ccod status --json`, whose last line on stdout are the modules that it imported then."""
    program = (
        "import sys; sys.argv = ['ccod', 'status', '--json']\n"
        "from ccod.start import main\n"
        "try: main()\n"
        "except SystemExit: print(*sys.modules)"
    )
    return subprocess.run(
        [sys.executable, "-c", program],
        env=home.environment | environment | UNMEASURED,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )


def test_status_needs_next_to_nothing(daemon: Running) -> None:
    told, modules = imported(daemon.home).stdout.splitlines()
    assert json.loads(told)["status"]["status"] == "healthy"
    assert set(HEAVY).isdisjoint(modules.split())
    assert len(modules.split()) < 100


@pytest.mark.parametrize(
    ("written", "environment"),
    [
        ("port = 0", {}),
        ("port = 9\nhost = '127.0.0.1'", {}),
        ("port = 9\nhost = '::1'", {"PORT": "7"}),
        ("host = 'localhost'", {"PORT": "7", "CCOD_HTTP__PORT": "8"}),
        ("port = 7\nsocket = '/nowhere/ccod.sock'", {"XDG_RUNTIME_DIR": ""}),
    ],
)
def test_that_nobody_answers_is_said_as_soon(tmp_path: Path, written: str, environment: dict[str, str]) -> None:
    home = usual_home(tmp_path)
    home.config.write_text(f"[http]\n{written}\n")
    quick = imported(home, **environment)
    assert set(HEAVY).isdisjoint(quick.stdout.split())
    assert len(quick.stdout.split()) < 100
    slow = run(home, "status", "--json", "--set", "log.level=info", **environment)
    assert (slow.stdout, slow.stderr, slow.returncode) == ("", quick.stderr, 69)
    assert run(home, "status", "--json", **environment).returncode == 69


@pytest.mark.parametrize("written", ["port = 'many'", "port = 7\nhost = '192.0.2.1'", "port = [", "port = {port}"])
def test_what_is_not_plain_is_left_to_the_command(tmp_path: Path, written: str) -> None:
    home = usual_home(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as somebody:
        home.config.write_text(f"[http]\n{written.replace('{port}', str(somebody.getsockname()[1]))}\n")
        program = "import sys; from ccod_status.quick import main; print(main(['--json']))"
        command = [sys.executable, "-c", program]
        done = subprocess.run(command, env=home.environment, capture_output=True, text=True, timeout=60, check=True)
    assert (done.stdout, done.stderr) == ("None\n", "")


def test_without_a_daemon_it_says_how_to_start_one(tmp_path: Path) -> None:
    done = run(usual_home(tmp_path), "status")
    assert done.returncode == 69
    assert "no daemon answers" in done.stderr
    assert "ccod serve" in done.stderr
    assert done.stdout == ""
