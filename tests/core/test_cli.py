"""The command line as a person meets it: in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import ccod
from ccod.commands.completion import completion_command
from ccod.example import example
from ccod.manager import Manager
from ccod.start import main
from ccod.testing.home import MEASURED

ROOT = Path(__file__).parents[2]


def run(tmp_path: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from ccod.cli import main; main()", *arguments],
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path), **MEASURED, **environ},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


def test_version(tmp_path: Path) -> None:
    assert run(tmp_path, "--version").stdout == f"ccod, version {ccod.__version__}\n"


def test_the_version_needs_neither_trio_nor_any_plugin() -> None:
    program = (
        "import sys; from ccod.cli import cli; cli.main(['--version'], standalone_mode=False);"
        "print([name for name in ('trio', 'quart', 'sqlalchemy', 'structlog', 'ccod_http') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_plugins_as_json(tmp_path: Path) -> None:
    done = run(tmp_path, "plugins", "--json")
    answer = json.loads(done.stdout)
    assert answer["schemaVersion"] == 1
    assert set(answer["plugins"][0]) == {
        *("name", "distribution", "version", "state", "roles", "hooks", "table", "error", "lastError")
    }
    assert {"claude", "sqlite", "jwt", "http", "rest", "ws"} <= {plugin["name"] for plugin in answer["plugins"]}
    assert done.returncode == 0


def test_plugins_as_a_table(tmp_path: Path) -> None:
    done = run(tmp_path, "plugins", COLUMNS="200")
    assert done.stdout.splitlines()[0].split() == [
        "name",
        "distribution",
        "version",
        "state",
        "roles",
        "settings",
        "hooks",
    ]
    assert "\x1b" not in done.stdout


def test_a_disabled_plugin_is_listed_so(tmp_path: Path) -> None:
    (tmp_path / "ccod").mkdir()
    (tmp_path / "ccod" / "config.toml").write_text('disable = ["ws"]\n[ws]\nwhatever = 1\n')
    answer = json.loads(run(tmp_path, "plugins", "--all", "--json").stdout)
    assert {p["name"] for p in answer["plugins"] if p["state"] == "disabled"} == {"ws"}


@pytest.mark.parametrize(
    ("arguments", "environ", "code", "message"),
    [
        (["serve", "--config", "/no/such.toml"], {}, 78, "ccod: /no/such.toml: No such file"),
        (["--config", "/no/such.toml", "serve"], {}, 78, "ccod: /no/such.toml: No such file"),
        (["tail", "--config", "/no/such.toml"], {}, 78, "ccod: /no/such.toml: No such file"),
        (["usage", "blocks", "--config", "/no/such.toml"], {}, 78, "ccod: /no/such.toml: No such file"),
        (["tail", "--set", "http.prot=1"], {}, 78, "did you mean 'http.port'?"),
        (["serve", "--set", "http.prot=1"], {}, 78, "did you mean 'http.port'?"),
        (["serve", "--port", "x"], {}, 78, "command line: http.port = 'x': Expected `int`"),
        (["serve"], {"PORT": "65536"}, 78, "environment: PORT = '65536': Expected `int` <= 65535"),
        (["serve"], {"CLAUDE_PROJECTS_PATH": "/a, ,/b"}, 78, "[claude] roots: one of them is empty"),
        (["serve", "--set", 'claude.roots=[" "]'], {}, 78, "[claude] roots: one of them is empty"),
        (["serve"], {"CCOD_HTTP__PRT": "1"}, 78, "no setting answers to CCOD_HTTP__PRT"),
        (
            ["serve"],
            {"CCOD_STORAGE": "oracle"},
            78,
            "storage: no plugin 'oracle' can play this; choose from: postgres, sqlite",
        ),
        (["serve", "--set", "x"], {}, 2, "is not NAME=VALUE"),
        (["srve"], {}, 2, "No such command 'srve'"),
    ],
)
def test_a_mistake_is_one_line_and_its_exit_code(
    tmp_path: Path, arguments: list[str], environ: dict[str, str], code: int, message: str
) -> None:
    done = run(tmp_path, *arguments, **environ)
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.returncode == code
    if code == 78:
        assert len(done.stderr.splitlines()) == 1


def test_help_lists_the_commands_of_plugins_too(tmp_path: Path) -> None:
    text = run(tmp_path, "--help").stdout
    assert all(command in text for command in ("serve", "plugins", "tail"))


def test_serve_has_the_options_that_settings_declare(tmp_path: Path) -> None:
    text = run(tmp_path, "serve", "--help").stdout
    assert all(option in text for option in ("--host", "--port", "--database"))


@pytest.mark.skipif(not (ROOT / "ccod.toml.example").exists(), reason="the example file is checked on the source tree")
def test_the_example_file_is_what_the_settings_classes_say(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CLAUDE_CONFIG_DIR", "XDG_DATA_HOME", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    assert (ROOT / "ccod.toml.example").read_text() == example(Manager().schemas())


def test_a_fault_of_the_program_is_no_person_s_mistake(tmp_path: Path) -> None:
    (tmp_path / "plugins").mkdir(mode=0o755)
    (tmp_path / "plugins" / "bell.py").write_text(
        "import click\nfrom ccod import hookimpl\n"
        "def ring(): raise ExceptionGroup('all', [ZeroDivisionError('here')])\n"
        "@hookimpl\ndef ccod_commands(cli, settings): cli.add_command(click.Command('ring', callback=ring))\n"
    )
    done = run(tmp_path, "ring", CCOD_PLUGINS_DIR=str(tmp_path / "plugins"))
    assert (done.returncode, "ZeroDivisionError: here" in done.stderr) == (1, True)


@pytest.mark.parametrize(("shell", "said"), [("bash", "complete -o nosort"), ("zsh", "compdef"), ("fish", "complete")])
def test_a_shell_is_told_how_to_complete(shell: str, said: str) -> None:
    told = CliRunner().invoke(completion_command(click.Group("ccod")), [shell])
    assert (told.exit_code, said in told.output) == (0, True)


def test_the_version_is_told_before_anything_else_is_loaded(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["ccod", "--version"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert (ended.value.code, capsys.readouterr().out) == (0, f"ccod, version {ccod.__version__}\n")
