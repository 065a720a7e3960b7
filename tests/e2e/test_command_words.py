"""What commands say where there is nothing, where they are called wrongly, and where there is little room."""

from __future__ import annotations

import json
import os
import pty
import struct
import subprocess
from collections.abc import Iterator
from fcntl import ioctl
from pathlib import Path
from termios import TIOCSWINSZ

import pytest
from click.testing import CliRunner, Result

from ccod.cli import cli
from ccod.errors import CcodError
from tests.e2e.daemon import CCOD
from tests.e2e.lines import SESSION, answer, line
from tests.e2e.running import Running, eventually, run, running, usual_home

TITLE = "mend the till of the shop, and all that belongs to it"


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(usual_home(tmp_path_factory.mktemp("empty"))) as daemon:
        yield daemon


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    home = usual_home(tmp_path_factory.mktemp("full"))
    folder = home.root / "-home-dev-demo"
    folder.mkdir(parents=True)
    with running(home) as daemon:
        (folder / f"{SESSION}.jsonl").write_bytes(line(TITLE) + answer("ok"))  # what was there before is no news
        eventually(lambda: daemon.json("sessions")["conversations"])
        yield daemon


def typed(daemon: Running, *arguments: str, **variables: str) -> Result:
    return CliRunner().invoke(cli, arguments, env=daemon.home.environment | variables)


def ended(result: Result) -> tuple[int, str]:
    """Return the exit code, and what is said, as `ccod` itself ends with and says."""
    if isinstance(result.exception, CcodError):
        return result.exception.exit_code, str(result.exception)
    return result.exit_code, result.stderr


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("sessions", "there are no conversations yet"),
        ("sessions --state error", "there are no conversations like that"),
        ("usage daily", "there is no usage yet"),
        ("usage monthly --model x", "there is no usage like that"),
        ("usage session", "there is no usage yet"),
        ("usage blocks", "there is no usage yet"),
        ("usage blocks --recent", "there is no usage like that"),
        ("usage blocks --active", "no block of five hours goes on now"),
        ("token list", "there are no API keys yet"),
        ("user list", "there are no accounts yet"),
    ],
)
def test_where_there_is_nothing_a_line_says_so(empty: Running, command: str, said: str) -> None:
    result = typed(empty, *command.split())
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", f"{said}\n")
    result = typed(empty, *command.split(), "--json")
    assert (json.loads(result.stdout)["schemaVersion"], result.stderr) == (1, "")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["show", ""], 2, "'CONVERSATION': it is empty"),
        (["export", " "], 2, "'CONVERSATION': it is empty"),
        (["tail", "--project", ""], 2, "'--project': it is empty"),
        (["tail", "--since", "yesterday"], 2, "'--since': since is a seq, or an ISO date"),
        (["tail", "--project", "x"], 1, "there is no project 'x'; `ccod sessions` names them"),
        (["tail", "--conversation", "x"], 1, "there is no conversation with the id 'x'"),
        (["tail", "--since", "99"], 1, "99 is no place in this database"),
        (["sessions", "--project", "x"], 1, "there is no project 'x'; `ccod sessions` names them"),
        (["sessions", "--since", "9" * 20], 2, "is no time; write 2026-01-31"),
        (["usage", "daily", "--timezone", "Europe/Berln"], 2, "'Europe/Berln' is no time zone"),
        (["usage", "daily", "--timezone", "../zone"], 2, "'../zone' is no time zone"),
        (["forget", "x"], 1, "there is no conversation or project with the id 'x'"),
        (["export", "x"], 1, "there is no conversation 'x'; see `ccod sessions`"),
        (["restore", "x"], 1, "there is no conversation 'x'; see `ccod sessions`"),
        (["reparse", "--conversation", "x"], 1, "there is no conversation 'x'; see `ccod sessions`"),
        pytest.param(["token", "create", "", "--scope", "read"], 2, "name", id="token"),
        (["db", "backup", "/no/such/folder/ccod.db"], 1, "`mkdir -p /no/such/folder` makes its folder"),
        (["db", "restore", "/no/such/file"], 1, "there is no such file; name a backup"),
        (["db", "check", "--set", "sqlite.path=/no/such/file"], 1, "no database is there yet"),
        (["config", "show", "htp"], 78, "no table is called 'htp'"),
    ],
)
def test_each_exit_code_has_one_meaning(empty: Running, arguments: list[str], code: int, said: str) -> None:
    told, text = ended(typed(empty, *arguments))
    assert (told, said in text) == (code, True), text


def test_a_file_that_is_there_already_or_no_backup_is_refused(empty: Running, tmp_path: Path) -> None:
    file = tmp_path / "notes"
    file.write_text("a text that is longer than the header of a database, which begins with its name and a zero byte")
    assert ended(typed(empty, "db", "backup", str(file))) == (
        1,
        f"{file}: is there already; name a new file, or say --force",
    )
    assert ended(typed(empty, "db", "restore", str(file))) == (1, f"{file}: is not a database; name a backup")


def test_an_odd_time_zone_of_the_environment_is_named_and_does_not_matter(empty: Running) -> None:
    for zone in ("Mars/Base", "CET-1CEST"):
        done = run(empty.home, "status", TZ=zone)
        assert done.returncode == 0
        assert done.stderr == f"TZ: {zone!r} is no time zone such as Europe/Berlin; today is that of UTC\n"
        assert "  today     $0.00, 0 tokens\n" in done.stdout


def test_a_conversation_is_exported_and_restored_by_the_beginning_of_its_id(daemon: Running, tmp_path: Path) -> None:
    assert "mend the till" in daemon.ccod("export", SESSION[:8])
    assert "mend the till" in daemon.ccod("export", "latest")
    assert SESSION in daemon.ccod("restore", SESSION[:8], "--to", str(tmp_path))


@pytest.mark.parametrize("width", [24, 40, 60, 80, 120])
def test_a_narrow_terminal_shows_whole_lines(daemon: Running, width: int) -> None:
    for command, first in (("sessions", SESSION[:8]), ("usage daily", "period"), ("usage session -b", "title")):
        lines = at_terminal(daemon, width, *command.split())
        assert lines[0].startswith(first)
        assert all(len(each) <= width for each in lines), lines
        assert len(lines) == len(typed(daemon, *command.split()).stdout.splitlines())
        assert any("mend the" in each or "$0.00" in each for each in lines)


def test_without_a_terminal_the_width_cuts_nothing(daemon: Running) -> None:
    for command in ("sessions", "usage session"):
        assert any(TITLE in each for each in daemon.ccod(*command.split(), COLUMNS="24").splitlines())
    assert "ccod_transports" in daemon.ccod("plugins", COLUMNS="24")


@pytest.mark.parametrize("command", ["sessions", "tail --since 0", "tail --since 0 --json", "status", "export latest"])
def test_a_reader_that_has_seen_enough_is_no_error(daemon: Running, command: str) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [str(CCOD), *command.split()],
        stdout=write,
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
        env=daemon.home.environment,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (141, b"")


def at_terminal(daemon: Running, width: int, *arguments: str) -> list[str]:
    """Return what a command prints at a terminal of this width."""
    ours, theirs = pty.openpty()
    ioctl(theirs, TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    environment = {name: value for name, value in daemon.home.environment.items() if name != "COLUMNS"}
    with subprocess.Popen([str(CCOD), *arguments], stdin=theirs, stdout=theirs, stderr=theirs, env=environment):
        os.close(theirs)
        said = b""
        while portion := _read(ours):
            said += portion
    os.close(ours)
    return said.decode().splitlines()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # its other end is closed
        return b""


def test_what_a_left_out_plugin_is_needed_for_is_said(tmp_path: Path) -> None:
    home = usual_home(tmp_path)
    home.config.write_text(f'disable = ["http"]\n{home.config.read_text()}')
    for command in (["sessions"], ["usage", "daily"], ["tail"], ["status"], ["token", "list"], ["reload"]):
        done = run(home, *command)
        assert (done.returncode, done.stdout) == (78, "")
        said = "disable: this needs the plugin of ccod_http, which is left out (http); keep it"
        assert done.stderr == f"ccod: {home.config}:1: {said}\n"
    assert "check-failed" not in run(home, "doctor").stdout
    done = run(home, "--set", "disable=rest,ws", "sessions")
    assert (done.returncode, "a plugin that `disable` leaves out: rest, ws" in done.stderr) == (2, True)


def test_the_chosen_auth_is_not_left_out(tmp_path: Path) -> None:
    done = run(usual_home(tmp_path), "serve", "--set", "disable=jwt")
    assert (done.returncode, "plugin 'jwt' is left out; take it out of `disable`" in done.stderr) == (78, True)
