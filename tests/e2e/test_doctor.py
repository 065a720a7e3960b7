"""`ccod doctor`: each thing that can be wrong is found, and has one command that mends it."""

from __future__ import annotations

import ast
import json
import os
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ccod.cli import cli
from tests.e2e.home import Home
from tests.e2e.lines import line
from tests.e2e.running import Running, eventually, run, running, usual_home

ROOT = Path(__file__).parents[2]
NO_MATTER = {"sqlite-version", "backup", "service", "linger", "disk-space"}
"""What depends on the machine."""


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    home = usual_home(tmp_path_factory.mktemp("doctor"))
    folder = home.root / "-home-dev-demo"
    folder.mkdir(parents=True)
    old = folder / "0b1e2f3a-4c5d-4e6f-8a9b-0c1d2e3f4a5b.jsonl"
    old.write_bytes(line("hello"))
    os.utime(old, (time.time() - 28 * 86400,) * 2)
    with running(home) as daemon:
        eventually(lambda: daemon.json("status")["status"]["storage"]["messages"] == 1)
        yield daemon


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home without a daemon."""
    return usual_home(tmp_path, {"http": {"port": free_port()}})


def free_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])


def wrong(home: Home, code: int = 1) -> dict[str, Any]:
    """Return what is not well, by its code. A process of its own is needed where there are plugins of others."""
    if home.variables.get("PYTHONPATH"):
        done = run(home, "doctor", "--json")
        told, ended = done.stdout, done.returncode
    else:
        result = CliRunner().invoke(cli, ["doctor", "--json"], env=home.environment)
        told, ended = result.stdout, result.exit_code
    assert ended == code, told
    answer = json.loads(told)
    found = {each["code"]: each for each in answer["findings"] if each["state"] != "ok"}
    assert all(each["fix"] for each in found.values())
    assert answer["state"] == ("problem" if code else answer["state"])
    return {name: each for name, each in found.items() if name not in NO_MATTER}


def test_a_daemon_that_is_well(daemon: Running) -> None:
    assert wrong(daemon.home, code=0) == {}
    found = {each["code"]: each for each in daemon.json("doctor")["findings"]}
    assert found["retention"]["text"].endswith("1 with 0.0 MB go within 7 days, and are stored")
    assert found["retention"]["plugin"] == "claude"
    assert found["websocket"]["state"] == "ok"
    assert found["configuration"]["text"] == str(daemon.home.config)


def test_for_a_person_it_names_what_is_wrong_and_the_command(home: Home) -> None:
    done = run(home, "doctor")
    assert "problem  daemon: no daemon answers" in done.stdout
    assert "         → ccod serve\n" in done.stdout
    assert "\nok " not in done.stdout
    assert "\x1b" not in done.stdout
    assert "\nok       roots: " in run(home, "doctor", "--all").stdout


def test_what_can_be_wrong_while_the_daemon_is_down(home: Home) -> None:
    database = home.database
    assert set(wrong(home)) == {"daemon"}
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        home.configure({"http": {"port": other.getsockname()[1]}})
        found = wrong(home)
        assert set(found) == {"daemon", "port"}
        assert re.fullmatch(r"ccod config set http\.port [1-9][0-9]*", found["port"]["fix"])
    database.parent.mkdir(mode=0o700)
    database.write_text("a text, and no database, that is longer than any header of one could be")
    database.chmod(0o644)
    found = wrong(home)
    assert "is not a database" in found["database"]["text"]
    assert found["file-modes"]["fix"] == f"chmod 600 {database}"
    home.root.rmdir()
    assert wrong(home)["roots"]["state"] == "warning"
    home.root.write_text("")
    assert wrong(home)["roots"]["state"] == "problem"


def test_a_transcript_that_goes_soon_and_is_not_stored(home: Home) -> None:
    path = home.root / "-p" / "x.jsonl"
    path.parent.mkdir()
    path.write_bytes(line("x"))
    os.utime(path, (time.time() - 6 * 86400,) * 2)
    assert "retention" not in wrong(home)
    (home.root.parent / "settings.json").write_text('{"cleanupPeriodDays": 10}')
    assert wrong(home)["retention"]["fix"] == "ccod serve"


def test_a_wrong_configuration_is_all_that_is_told_first(home: Home) -> None:
    home.config.write_text("[http]\nport = 'x'\nprot = 1\n")
    done = run(home, "doctor", "--json")
    told = [each for each in json.loads(done.stdout)["findings"] if each["code"] == "configuration"]
    assert [f"{home.config}:{number}" in each["text"] for each, number in zip(told, (3, 2), strict=True)] == [
        True,
        True,
    ]
    assert all("`ccod config check` tells when all is right" in each["fix"] for each in told)
    assert done.returncode == 1


def test_a_plugin_that_cannot_be_loaded_does_not_hide_the_rest(home: Home) -> None:
    home.install("broken", "import nothing_of_this_name")
    found = wrong(home)
    assert "nothing_of_this_name" in found["plugins"]["text"]
    assert "daemon" in found


def test_a_plugin_that_cannot_look_is_named(home: Home) -> None:
    home.install("blind", "from ccod import hookimpl\n@hookimpl\ndef ccod_checks():\n    yield 1 / 0\n")
    found = wrong(home)["check-failed"]
    assert (found["plugin"], "ZeroDivisionError" in found["text"]) == ("blind", True)


def test_a_plugin_adds_findings(home: Home) -> None:
    home.install(
        "owl",
        "from ccod import Finding, hookimpl\n@hookimpl\ndef ccod_checks():\n"
        "    return [Finding('owl', 'warning', 'it sleeps', 'wake owl')]\n",
    )
    assert wrong(home)["owl"] == {
        "code": "owl",
        "state": "warning",
        "plugin": "owl",
        "text": "it sleeps",
        "fix": "wake owl",
    }


@pytest.mark.skipif(not (ROOT / "ccod").is_dir(), reason="the documentation is checked on the source tree")
def test_every_code_has_its_section() -> None:
    text = (ROOT / "docs" / "troubleshooting.md").read_text()
    sections = set(re.findall(r"^### `([a-z-]+)`$", text, re.MULTILINE))
    files = [*(ROOT / "ccod").rglob("*.py"), *(ROOT / "plugins").rglob("*.py")]
    codes = {code for path in files for code in codes_in(path)}
    assert {"daemon", "retention", "configuration"} <= codes
    assert sections == codes


def codes_in(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Finding":
            assert isinstance(node.args[0], ast.Constant), f"{path}:{node.lineno}"
            yield str(node.args[0].value)


def test_a_certificate_that_is_not_there(home: Home) -> None:
    home.configure({"http": {"certfile": "/nowhere/cert.pem", "keyfile": "/nowhere/key.pem"}})
    assert "[http] certfile: /nowhere/cert.pem: No such file" in wrong(home)["configuration"]["text"]
