"""`ccod service`, with a program in place of systemctl that writes down what it is told."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ccod.cli import cli
from ccod.commands.service import quoted, service_findings, unit
from ccod.errors import CcodError, UnavailableError
from ccod.testing.home import MEASURED

ROOT = Path(__file__).parents[2]


class House:
    def __init__(self, home: Path) -> None:
        self.home = home
        self.unit = home / ".config" / "systemd" / "user" / "ccod.service"
        self.calls = home / "calls"
        self.programs = home / "bin"
        self.programs.mkdir()

    def systemctl(self, *, refuses: str = "") -> None:
        """Install a systemctl that knows the user's manager, and refuses one word."""
        program = self.programs / "systemctl"
        program.write_text(
            f'#!/bin/sh\necho "$*" >> {self.calls}\n'
            f'case "$*" in *{refuses or "no-such-word"}*) echo no >&2; exit 1;; esac\n'
        )
        program.chmod(0o755)

    def told(self) -> list[str]:
        lines = self.calls.read_text().splitlines() if self.calls.exists() else []
        return [line.removeprefix("--user ") for line in lines if "show-environment" not in line]

    def run(self, *arguments: str, **environ: str) -> Result:
        quiet = {name: None for name in os.environ if name.startswith("CCOD_")}
        environment = {**quiet, "HOME": str(self.home), "XDG_CONFIG_HOME": "", "PATH": str(self.programs), **environ}
        return CliRunner(env=environment).invoke(cli, ["service", *arguments])


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_the_unit_is_written_started_and_removed(house: House) -> None:
    house.systemctl()
    result = house.run("install")
    assert result.exit_code == 0, result.output
    assert "ExecStart=/" in house.unit.read_text()
    assert house.told() == ["daemon-reload", "enable ccod.service", "restart ccod.service"]
    house.calls.unlink()
    assert house.run("install", "--no-start").exit_code == 0
    assert house.told() == []
    assert "Your history stays" in house.run("uninstall").output
    assert not house.unit.exists()
    assert house.told() == ["disable --now ccod.service", "daemon-reload"]


def test_without_a_manager_the_unit_is_written_all_the_same(house: House) -> None:
    assert "No systemd of yours runs here" in house.run("install").output
    assert house.unit.exists()
    assert isinstance(house.run("status").exception, UnavailableError)
    assert house.run("uninstall").exit_code == 0
    assert "nothing is installed" in str(house.run("uninstall").exception)


def test_without_a_manager_the_log_says_so_and_is_not_waited_for(house: House) -> None:
    (program := house.programs / "journalctl").write_text("#!/bin/sh\n")
    program.chmod(0o755)
    result = house.run("logs")
    assert (result.exit_code, "no systemd of yours runs here" in result.stderr) == (0, True)
    assert isinstance(house.run("logs", "--follow").exception, UnavailableError)


def test_what_systemd_refuses_is_told(house: House) -> None:
    house.systemctl(refuses="restart")
    error = house.run("install").exception
    assert isinstance(error, CcodError)
    assert str(error) == "systemctl restart ccod.service: no; see `ccod service logs`"


def test_a_wrong_configuration_is_not_installed(house: House) -> None:
    (file := house.home / "my ccod.toml").write_text("[http]\nport = 'x'\n")
    assert "port = 'x'" in str(house.run("install", "--config", str(file)).exception)
    assert "takes no --set" in str(house.run("install", "--set", "http.port=1").exception)
    assert not house.unit.exists()
    file.write_text("[http]\nport = 1\n")
    assert house.run("install", "--config", str(file)).exit_code == 0
    assert f'serve --config "{file}"\n' in house.unit.read_text()


def test_variables_of_the_shell_that_a_service_does_not_see_are_named(house: House) -> None:
    assert "does not see what this shell sets: PORT;" in house.run("install", PORT="1").stderr


@pytest.mark.parametrize(
    ("word", "written"),
    [
        ("/usr/bin/ccod", "/usr/bin/ccod"),
        ("/a b", '"/a b"'),
        ("/100%/$x", "/100%%/$$x"),
        ('/a"b\\c', '"/a\\"b\\\\c"'),
        ("", '""'),
    ],
)
def test_words_are_quoted_as_systemd_reads_them(word: str, written: str) -> None:
    assert quoted(word) == written


@pytest.mark.skipif(not (ROOT / "systemd").is_dir(), reason="the unit is compared on the source tree")
def test_the_unit_of_the_source_tree_is_the_package_s() -> None:
    assert (ROOT / "systemd" / "ccod.service").read_text() == unit(["%h/.local/bin/ccod", "serve"]).replace("%%h", "%h")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_a_written_unit_is_valid(house: House) -> None:
    (file := house.home / "a %b.toml").write_text("")
    house.run("install", "--config", str(file))
    environ = {"PATH": os.environ["PATH"], "HOME": str(house.home), "XDG_RUNTIME_DIR": str(house.home)}
    done = subprocess.run(
        ["systemd-analyze", "verify", "--user", str(house.unit)],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_systemd_that_answers_is_asked_for_the_state_and_its_exit_code_is_handed_on(house: House) -> None:
    house.systemctl(refuses="status")
    assert house.run("status").exit_code == 1
    assert house.told() == ["status --no-pager ccod.service"]


def test_the_journal_is_read_where_there_is_one(house: House) -> None:
    house.systemctl()
    assert "no journal is installed here" in str(house.run("logs").exception)
    (program := house.programs / "journalctl").write_text(f'#!/bin/sh\necho "$*" >> {house.calls}\n')
    program.chmod(0o755)
    assert house.run("logs", "--follow").exit_code == 0
    assert house.told() == ["--unit ccod.service --lines 50 --output cat --follow"]


def test_a_unit_that_cannot_be_written_is_one_line(house: House) -> None:
    house.unit.parent.parent.parent.mkdir(parents=True)
    house.unit.parent.parent.write_text("in the way")
    error = house.run("install").exception
    assert isinstance(error, CcodError)
    assert str(error).endswith("make its folder writable")


def test_whether_it_runs_on_after_a_logout_is_told(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.systemctl()
    monkeypatch.setenv("HOME", str(house.home))
    monkeypatch.setenv("XDG_CONFIG_HOME", "")
    monkeypatch.setenv("PATH", str(house.programs))
    assert [(each.state, each.fix) for each in service_findings()] == [("warning", "ccod service install")]
    assert "enable-linger" in house.run("install").output
    assert [(each.code, each.state) for each in service_findings()] == [("service", "ok"), ("linger", "warning")]
    (program := house.programs / "loginctl").write_text("#!/bin/sh\necho yes\n")
    program.chmod(0o755)
    assert "enable-linger" not in house.run("install").output
    assert [(each.code, each.state) for each in service_findings()] == [("service", "ok"), ("linger", "ok")]


def test_where_python_is_elsewhere_the_service_runs_the_ccod_of_the_path(house: House) -> None:
    (ccod := house.programs / "ccod").write_text("#!/bin/sh\n")
    ccod.chmod(0o755)
    program = "import sys; sys.executable = '/nowhere/python'; from ccod.start import main; main()"
    environ = {"PATH": str(house.programs), "HOME": str(house.home), **MEASURED}
    command = [sys.executable, "-c", program, "service", "install", "--no-start"]
    subprocess.run(command, env=environ, check=True, capture_output=True)
    assert f"ExecStart={ccod} serve\n" in house.unit.read_text()
