"""`ccod doctor` names the command that mends a finding: each is provoked, its command run, and the finding is gone."""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from ccod.cli import cli
from ccod.testing.daemon import START_SECONDS
from tests.e2e.daemon import CCOD
from tests.e2e.database import opened
from tests.e2e.home import Home
from tests.e2e.lines import line
from tests.e2e.running import eventually, run, running, usual_home
from tests.e2e.test_doctor import free_port

Wrong = dict[str, list[dict[str, Any]]]
Provoke = Callable[[Home, ExitStack], object]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home without a daemon, in a folder whose name a shell would take apart."""
    return usual_home(tmp_path / "a folder", {"http": {"port": free_port()}})


def wrong(home: Home) -> Wrong:
    found: Wrong = {}
    for each in json.loads(typed(home, "doctor", "--json"))["findings"]:
        if each["state"] != "ok":
            found.setdefault(each["code"], []).append(each)
    return found


def mend(home: Home, command: str) -> None:
    """Type a command as it stands there."""
    for part in command.split(" && "):
        name, *arguments = shlex.split(part)
        if name == "ccod":
            typed(home, *arguments, code=0)
        else:
            subprocess.run(["sh", "-c", part], check=True, timeout=60, cwd=home.path)


def typed(home: Home, *arguments: str, code: int | None = None) -> str:
    """Return what a command prints. Where there are plugins of others, it needs a process of its own."""
    if home.variables.get("PYTHONPATH"):
        done = run(home, *arguments)
        told, ended = done.stdout, done.returncode
    else:
        result = CliRunner().invoke(cli, arguments, env=home.environment)
        told, ended = result.stdout, result.exit_code
    assert code in {None, ended}, told
    return told


def another_program_has_the_port(home: Home, stack: ExitStack) -> None:
    other = stack.enter_context(socket.socket())
    other.bind(("127.0.0.1", 0))
    other.listen()
    home.configure({"http": {"port": other.getsockname()[1]}})


def no_socket(home: Home, _: ExitStack) -> None:
    home.variables["XDG_RUNTIME_DIR"] = ""


def a_file_instead_of_a_socket(home: Home, _: ExitStack) -> None:
    folder = Path(home.variables["XDG_RUNTIME_DIR"], "ccod")
    folder.mkdir(mode=0o700)
    (folder / "ccod.sock").mkdir()


def an_open_folder(home: Home, _: ExitStack) -> None:
    folder = Path(home.variables["XDG_RUNTIME_DIR"], "ccod")
    folder.mkdir()
    folder.chmod(0o777)


def no_database(home: Home, _: ExitStack) -> None:
    home.database.parent.mkdir(mode=0o700)
    home.database.write_text("a text, and no database, that is longer than any header of one could be")
    home.database.chmod(0o600)


def an_open_database(home: Home, stack: ExitStack) -> None:
    no_database(home, stack)
    home.database.chmod(0o644)


def a_large_database(home: Home, _: ExitStack) -> None:
    with running(home), opened(home, mode="rw") as database:
        database.execute("CREATE TABLE filler AS SELECT zeroblob(11000000)")
        database.commit()


def no_root(home: Home, _: ExitStack) -> None:
    home.root.rmdir()
    Path(home.variables["CLAUDE_CONFIG_DIR"], "projects").mkdir(parents=True)


def a_file_instead_of_a_root(home: Home, stack: ExitStack) -> None:
    no_root(home, stack)
    home.root.write_text("")


def no_watcher(home: Home, _: ExitStack) -> None:
    home.configure({"http": {"port": free_port()}, "claude": {"watcher": "none"}})


def a_broken_plugin(home: Home, _: ExitStack) -> None:
    home.install("broken", "import nothing_of_this_name")


def a_blind_plugin(home: Home, _: ExitStack) -> None:
    home.configure({"http": {"port": free_port()}})
    home.config.write_text(f'disable = ["metrics"]\n{home.config.read_text()}')
    home.install("blind", "from ccod import hookimpl\n@hookimpl\ndef ccod_checks():\n    yield 1 / 0\n")


def no_service(home: Home, _: ExitStack) -> None:
    programs = home.path / "bin"
    programs.mkdir()
    (programs / "systemctl").write_text("#!/bin/sh\n")
    (programs / "systemctl").chmod(0o755)
    home.variables["PATH"] = f"{programs}:{os.environ['PATH']}"


@pytest.mark.parametrize(
    ("code", "provoke"),
    [
        ("port", another_program_has_the_port),
        ("socket", no_socket),
        ("socket", a_file_instead_of_a_socket),
        ("socket", an_open_folder),
        ("database", no_database),
        ("file-modes", an_open_database),
        ("backup", a_large_database),
        ("roots", no_root),
        ("roots", a_file_instead_of_a_root),
        ("watcher", no_watcher),
        ("plugins", a_broken_plugin),
        ("check-failed", a_blind_plugin),
    ],
)
def test_the_command_mends(home: Home, code: str, provoke: Provoke) -> None:
    with ExitStack() as stack:
        provoke(home, stack)
        (found,) = wrong(home)[code]
        mend(home, found["fix"])
        assert code not in wrong(home)


def test_what_was_left_out_before_stays_so(home: Home) -> None:
    a_blind_plugin(home, ExitStack())
    assert wrong(home)["check-failed"][0]["fix"] == "ccod config set disable metrics,blind"


def test_a_service_is_installed(home: Home) -> None:
    no_service(home, ExitStack())
    (found,) = wrong(home)["service"]
    assert found["fix"] == "ccod service install"
    mend(home, found["fix"])
    then = wrong(home)
    assert "service" not in then
    assert then["daemon"][0]["fix"] == "ccod serve"  # the unit is there, and no systemd that could start it
    manager = Path(home.environment["XDG_RUNTIME_DIR"]) / "systemd" / "private"
    manager.parent.mkdir()
    manager.touch()
    assert wrong(home)["daemon"][0]["fix"] == "systemctl --user start ccod"


def test_a_daemon_that_hears_nothing_gives_way(home: Home) -> None:
    with served(home) as process:
        process.send_signal(signal.SIGSTOP)
        found = wrong(home)
        assert found["port"][0]["fix"] == f"kill -9 {process.pid}"
        mend(home, found["port"][0]["fix"])
        process.wait(10)
        assert "port" not in wrong(home)


def test_the_daemon_puts_a_database_back_into_wal_mode(home: Home) -> None:
    with running(home):
        pass
    with opened(home, mode="rw") as database:
        assert database.execute("PRAGMA journal_mode = DELETE").fetchone() == ("delete",)
    found = wrong(home)
    assert (found["database"][0]["fix"], found["daemon"][0]["fix"]) == ("ccod serve", "ccod serve")
    with running(home):
        assert not wrong(home).keys() & {"database", "daemon"}


def test_room_for_more_clients_is_made_at_once(tmp_path: Path) -> None:
    home = usual_home(tmp_path, {"ws": {"max_connections": 1}})
    transport = httpx.HTTPTransport(uds=str(tmp_path / "runtime" / "ccod" / "ccod.sock"))
    with running(home), tailing(home), httpx.Client(base_url="http://localhost", transport=transport) as owner:
        eventually(lambda: owner.get("/api/websocket/status").json()["data"]["connections"] == 1)
        (found,) = wrong(home)["websocket"]
        assert found["fix"] == wrong(home)["websocket-limit"][0]["fix"]
        mend(home, found["fix"])
        assert not wrong(home).keys() & {"websocket", "websocket-limit"}


def test_a_service_that_is_not_well_tells_its_own_remedy(tmp_path: Path) -> None:
    home = usual_home(tmp_path, {"claude": {"scan_interval": "200ms"}})
    with running(home) as daemon:
        daemon.json("status")
        home.root.rename(tmp_path / "elsewhere")
        found = eventually(lambda: wrong(home).get("services"))
        assert "ROOT_MISSING" in found[0]["text"]
        assert found[0]["fix"] == "put it back, or take it out of the `roots` of its source"
        (tmp_path / "elsewhere").rename(home.root)
        eventually(lambda: "services" not in wrong(home))


def test_what_no_command_mends_is_said_so(tmp_path: Path) -> None:
    home = usual_home(tmp_path)
    path = home.root / "-p" / "0b1e2f3a-4c5d-4e6f-8a9b-0c1d2e3f4a5b.jsonl"
    path.parent.mkdir()
    path.write_bytes(line("x") + b'{"type": "walrus"}\n' + b"{damaged\n")
    os.utime(path, (time.time() - 86400,) * 2)
    with running(home):
        found = eventually(lambda: (told := wrong(home)).keys() >= {"quarantine", "unknown-records"} and told)
        assert "--upgrade ccod`, once a newer ccod knows them" in found["unknown-records"][0]["fix"]
        show = found["quarantine"][0]["fix"].split("`")[1]
        assert subprocess.run(["sh", "-c", show], check=True, capture_output=True).stdout.strip() == b"{damaged"
        path.unlink()
        assert "`ccod restore 0b1e2f3a-4c5d-4e6f-8a9b-0c1d2e3f4a5b`" in wrong(home)["quarantine"][0]["fix"]


@contextmanager
def served(home: Home) -> Iterator[subprocess.Popen[bytes]]:
    """Run a daemon that answers, whose process can be hurt."""
    with home.log.open("wb") as log:
        process = subprocess.Popen([str(CCOD), "serve"], stdout=log, stderr=log, cwd=home.path, env=home.environment)
    try:
        eventually(lambda: "daemon" not in wrong(home), START_SECONDS)
        yield process
    finally:
        process.kill()
        process.wait()


@contextmanager
def tailing(home: Home) -> Iterator[None]:
    """Have a client of the WebSocket, where there is room for one."""
    process = subprocess.Popen(
        [str(CCOD), "tail"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=home.environment
    )
    try:
        yield
    finally:
        process.kill()
        process.wait()
