"""Every command there is: its help, its JSON, its manual page, its section in docs/commands.md."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from ccod.cli import cli
from ccod.commands.man import Node, markdown, page, paragraphs, walk
from ccod.errors import CcodError
from ccod.testing.home import UNMEASURED

DOCS = Path(__file__).parents[2] / "docs" / "commands.md"
NOT_JSON = {
    "config get": "prints one value, as JSON where it is no text",
    "config schema": "is JSON",
    "config check": "its exit code tells",
    "service status": "is systemd's",
    "service logs": "is systemd's",
    "export": "has --format json",
    "completion": "is for a shell",
}
CHANGES = {
    *("config init", "config set", "config unset", "service install", "service uninstall", "user add", "user passwd"),
    *("install", "uninstall", "plugins new", "plugins allow"),
    *(
        "user machines",
        "user role",
        "user remove",
        "token revoke",
        "forget",
        "reparse",
        "restore",
        "demo",
        "serve",
        "man",
    ),
}
"""What does something, and has nothing to tell that a program would want to read."""


@pytest.fixture(scope="module", autouse=True)
def no_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The tree of commands is that of no configuration at all."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("none")))
        yield


@pytest.fixture(scope="module")
def nodes(no_settings: None) -> list[Node]:
    return list(walk(cli))


def leaves(nodes: list[Node]) -> dict[str, click.Command]:
    return {" ".join(words[1:]): command for words, command, _ in nodes if not isinstance(command, click.Group)}


def test_every_command_has_a_help_with_an_example(nodes: list[Node]) -> None:
    found = leaves(nodes)
    assert len(found) > 40
    for name, command in found.items():
        examples = [text for text in paragraphs(command) if text.startswith("Example: ")]
        assert len(examples) == 1, name
        assert examples[0].removeprefix("Example: ").startswith(f"ccod {name}"), name


def test_what_reads_has_json(nodes: list[Node]) -> None:
    for name, command in leaves(nodes).items():
        has_json = any("--json" in parameter.opts for parameter in command.params)
        assert has_json or name in NOT_JSON or name in CHANGES or name.startswith("db "), name
        assert not (has_json and name in NOT_JSON), name


def test_every_option_says_what_it_is(nodes: list[Node]) -> None:
    for words, command, context in nodes:
        for parameter in command.get_params(context):
            if isinstance(parameter, click.Option) and not isinstance(parameter.type, click.Choice):
                assert parameter.help, f"{words} {parameter.opts}"


@pytest.mark.skipif(not DOCS.exists(), reason="the documentation is checked on the source tree")
def test_the_documentation_is_what_the_commands_say(nodes: list[Node]) -> None:
    assert DOCS.read_text() == markdown(cli), "run `ccod man --markdown > docs/commands.md`"


def test_manual_pages_are_written(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["man", str(tmp_path / "man1")])
    assert result.exit_code == 0, result.output
    written = {path.name for path in (tmp_path / "man1").iterdir()}
    assert {"ccod.1", "ccod-usage-daily.1", "ccod-status.1"} <= written
    assert (tmp_path / "man1" / "ccod.1").read_text().startswith('.TH "CCOD" "1"')


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed")
def test_manual_pages_are_well_formed(nodes: list[Node]) -> None:
    for words, command, context in nodes:
        text = page(words, command, context)
        done = subprocess.run(
            ["groff", "-man", "-Tutf8", "-ww"], input=text, capture_output=True, text=True, timeout=30, check=True
        )
        assert done.stderr == "", words
        assert "ccod" in done.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_printed_without_any_plugin(shell: str) -> None:
    program = f"import sys; sys.argv = ['ccod', 'completion', '{shell}']\nfrom ccod.start import main\n" + CATCH
    *source, modules = printed(program)
    assert any("_CCOD_COMPLETE" in line for line in source)
    assert not {"pluggy", "importlib.metadata", "msgspec", "trio", "rich"} & set(json.loads(modules))


CATCH = "import json\ntry: main()\nexcept SystemExit: print(json.dumps(list(sys.modules)))"


def test_commands_of_plugins_are_completed() -> None:
    environment = os.environ | {"_CCOD_COMPLETE": "bash_complete", "COMP_WORDS": "ccod usage w", "COMP_CWORD": "2"}
    program = "import sys; sys.argv = ['ccod']\nfrom ccod.start import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout == "plain,weekly\n"


DAEMON = {"trio", "quart", "sqlalchemy", "alembic", "hypercorn", "structlog", "watchfiles", "prometheus_client"}
LARGE = {"rich", "importlib.metadata", "email.message", "http.client", "ssl", "hashlib", "sqlite3", "dataclasses"}
"""Modules that take longer to import than most commands need for all they do."""
ROOMS = {"ccod.face", "ccod.daemon", "ccod.guarded", "ccod.observatory", "ccod.roles", "ccod.stored", "ccod.pipeline"}


@pytest.mark.parametrize(
    ("arguments", "own"),
    [
        (["--version"], ""),
        (["config", "path"], "ccod.commands.config"),
        (["config", "path", "--json"], "ccod.commands.config"),
        (["config", "get", "http.port"], "ccod.commands.config"),
        (["config", "show"], "ccod.commands.config"),
        (["completion", "fish"], "ccod.commands.completion"),
        (["sessions", "--help"], "ccod_rest.commands.sessions"),
        (["serve", "--x"], ""),
    ],
)
def test_a_command_starts_without_a_daemon_s_rooms_and_without_other_commands(arguments: list[str], own: str) -> None:
    found = imported(arguments)
    assert not (DAEMON | LARGE | ROOMS) & found
    shared = {"commands", "options", "common", "lists"}
    assert {each for each in found if ".commands." in each and each.rpartition(".")[2] not in shared} == {own} - {""}


def test_the_list_of_commands_needs_no_daemon() -> None:
    assert not (DAEMON | LARGE | ROOMS) & imported(["--help"])


@pytest.mark.parametrize("arguments", [["config", "path"], ["completion", "zsh"]])
def test_what_no_plugin_has_part_in_loads_none(arguments: list[str]) -> None:
    assert not {"pluggy", "ccod.manager", "ccod.hookspecs"} & imported(arguments)


def imported(arguments: list[str]) -> set[str]:
    """Return the modules that a command has imported when it ends."""
    program = f"import sys; sys.argv = {['ccod', *arguments]!r}\nfrom ccod.start import main\n" + CATCH
    return set(json.loads(printed(program)[-1]))


def printed(program: str) -> list[str]:
    """Return the lines that a program prints in a process of its own, in which nothing else imports anything."""
    command, environment = [sys.executable, "-c", program], os.environ | UNMEASURED
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=60, check=True
    ).stdout.splitlines()


def test_pages_are_written_into_a_folder_that_can_be_written(tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, ["man", str(tmp_path / "man1")])
    assert done.exit_code == 0
    assert (tmp_path / "man1" / "ccod-config-show.1").read_text().startswith(".TH")
    (tmp_path / "file").write_text("")
    with pytest.raises(CcodError, match="name another folder"):
        CliRunner().invoke(cli, ["man", str(tmp_path / "file" / "man1")], catch_exceptions=False)
    assert CliRunner().invoke(cli, ["man", "--markdown"]).output == markdown(cli)


def test_a_hidden_command_has_no_page() -> None:
    group = click.Group("ccod", commands=[click.Command("told"), click.Command("secret", hidden=True)])
    assert [words for words, _, _ in walk(group)] == [("ccod",), ("ccod", "told")]


def test_a_command_that_nobody_has_is_wrong_use() -> None:
    assert CliRunner().invoke(cli, ["nonsense"]).exit_code == 2
