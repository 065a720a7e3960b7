"""`ccod config` as a person meets it."""

from __future__ import annotations

import json
import os
import tomllib
from functools import partial
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from ccod.app import App
from ccod.cli import cli
from ccod.errors import CcodError, ConfigError
from ccod.manager import Manager
from ccod.settings import CoreSettings, fields

FOLDERS = {"XDG_CONFIG_HOME": "", "XDG_DATA_HOME": "", "XDG_RUNTIME_DIR": "", "CLAUDE_CONFIG_DIR": ""}


class House:
    """A home folder, and `ccod config` in it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.folder = home / ".config" / "ccod"
        self.file = self.folder / "config.toml"
        self.local = self.folder / "conf.d" / "local.toml"

    def run(self, *arguments: str, text: str | None = None, **environ: str) -> Result:
        quiet = {name: None for name in os.environ if name.startswith("CCOD_")}
        environment = {**quiet, **FOLDERS, "HOME": str(self.home), **environ}
        return CliRunner(env=environment).invoke(cli, ["config", *arguments], input=text)

    def write(self, toml: str) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.file.write_text(toml)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def refusal(result: Result) -> str:
    assert isinstance(result.exception, CcodError), result.exception
    return str(result.exception)


def test_a_first_file_is_private_right_and_never_overwritten(house: House) -> None:
    assert house.run("init", "--set", "http.port=4000", "--set", 'log.levels={"http":"debug"}').exit_code == 0
    assert house.file.stat().st_mode & 0o777 == 0o600
    written = tomllib.loads(house.file.read_text())
    assert (written["http"]["port"], written["log"], written["sqlite"]) == (4000, {"levels": {"http": "debug"}}, {})
    assert house.run("check").output == f"The configuration is right. Read: {house.file}\n"
    assert "is there already" in refusal(house.run("init"))
    assert house.run("init", "--config", str(house.home / "other.toml")).exit_code == 0


def test_values_are_shown_with_their_origin(house: House) -> None:
    house.write("[http]\nport = 4000\n")
    shown = house.run("show", "http", "--origin", HOST="127.0.0.1").output.splitlines()
    assert [line.split() for line in shown if line.startswith(("host", "port", "access"))] == [
        ["host", "=", '"127.0.0.1"', "#", "environment:", "HOST"],
        ["port", "=", "4000", "#", f"{house.file}:2"],
        ["access", "=", '"owner"', "#", "default"],
    ]
    answer = json.loads(house.run("show", "--json").output)
    assert answer["schemaVersion"] == 1
    assert answer["settings"]["http.port"] == {"value": 4000, "origin": f"{house.file}:2"}
    assert tomllib.loads(house.run("show").output)["http"]["port"] == 4000
    assert "no table is called 'htp'" in refusal(house.run("show", "htp"))


def test_one_value_is_set_read_and_unset(house: House) -> None:
    house.write("# mine\n[http]\nport = 4000\n")
    assert "restart ccod" in house.run("set", "http.port", "4001").output
    assert "`ccod reload`" in house.run("set", "claude.scan_interval", "-", text="5s\n").output
    assert house.run("get", "http.port").output == "4001\n"
    assert house.run("get", "http.cors_origins").output == '["http://localhost:5173"]\n'
    assert house.file.read_text().startswith("# mine")
    assert house.local.stat().st_mode & 0o777 == 0o600
    assert tomllib.loads(house.local.read_text()) == {"http": {"port": 4001}, "claude": {"scan_interval": "5s"}}
    assert f"it comes from: {house.file}:3" in house.run("unset", "http.port").output
    assert tomllib.loads(house.local.read_text()) == {"claude": {"scan_interval": "5s"}}
    assert "is not set in" in refusal(house.run("unset", "http.port"))


def test_a_value_that_has_no_effect_is_told(house: House) -> None:
    assert "stronger: environment: PORT" in house.run("set", "http.port", "4001", PORT="1").stderr


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("http.port", "x", "Expected `int`"),
        ("http.prt", "1", "did you mean 'http.port'?"),
        ("http.host", "0.0.0.0", "is beyond loopback"),
        ("http.cors_origins", "*", "is no origin"),
        ("log.level", "loud", "choose from: debug, info"),
    ],
)
def test_what_is_wrong_is_not_written(house: House, name: str, value: str, problem: str) -> None:
    result = house.run("set", name, value)
    assert problem in refusal(result)
    assert not house.local.exists()


def test_a_wrong_file_can_be_mended_value_by_value(house: House) -> None:
    house.write("[http]\nport = 'x'\naccess = 'all'\n")
    assert house.run("set", "http.port", "1").exit_code == 0
    assert house.run("set", "http.access", "owner").exit_code == 0
    assert house.run("check").exit_code == 0


def test_check_tells_all_that_is_wrong(house: House) -> None:
    house.write("x = 1\n[http]\nport = 'x'\nprt = 1\n")
    result = house.run("check", CCOD_Y="1")
    told = [*result.stderr.splitlines(), f"ccod: {refusal(result)}"]
    assert [line.removeprefix(f"ccod: {house.file}:").partition(" ")[0] for line in told] == ["1:", "4:", "ccod:", "3:"]
    assert "no plugin 'papyrus'" in refusal(house.run("check", "--config", os.devnull, "--set", "storage=papyrus"))


def test_files_are_listed_from_the_weakest_to_the_strongest(house: House) -> None:
    house.write("")
    assert f"absent  {house.local}" in house.run("path").output.splitlines()
    house.run("set", "http.port", "1")
    assert house.run("path").output.splitlines()[1:] == [
        f"read    {house.file}",
        f"read    {house.local}",
        f"absent  {house.folder / '.env'}",
    ]
    assert json.loads(house.run("path", "--json").output)["files"][1] == {"path": str(house.file), "exists": True}


def test_the_schema_knows_every_setting(house: House) -> None:
    schema = json.loads(house.run("schema").output)
    classes: dict[str, type[msgspec.Struct]] = {"": CoreSettings, **Manager().schemas()}
    for table, settings in classes.items():
        for field in fields(settings, (table,) if table else ()):
            found = schema
            for part in field.path:
                found = found["properties"][part]
            assert found["description"] == field.description
    interval = schema["properties"]["claude"]["properties"]["scan_interval"]
    assert [choice["type"] for choice in interval["anyOf"]] == ["number", "string"]


def test_check_sees_what_would_keep_the_daemon_from_starting(house: House) -> None:
    house.write('[jwt]\nsecret = "changeme"\n')
    house.file.chmod(0o600)
    assert f"{house.file}:2: [jwt] secret: 8 bytes are too few" in refusal(house.run("check"))
    house.write('[http]\ncertfile = "/nowhere/cert.pem"\nkeyfile = "/nowhere/key.pem"\n')
    assert f"{house.file}:2: [http] certfile: /nowhere/cert.pem: No such file" in refusal(house.run("check"))
    assert house.run("show").exit_code == 0  # which needs no certificate


def test_without_a_command_the_help_is_shown_and_the_example_only_where_it_is_asked_for(house: House) -> None:
    assert "Commands:" in house.run().output
    assert "port" not in tomllib.loads(house.run("--example").output)["http"]


def test_a_file_that_cannot_be_written_is_one_line(house: House) -> None:
    (house.home / "file").write_text("")
    assert "make its folder writable" in refusal(house.run("init", "--config", str(house.home / "file" / "ccod.toml")))


def test_settings_read_again_for_a_daemon_are_looked_at_as_at_its_start(house: House) -> None:
    app = App()
    app.file = house.home / "ccod.toml"
    app.file.write_text("")
    manager = app.manager()
    assert app.settings_again(manager).core.storage == "sqlite"
    app.file.write_text('[http]\ncertfile = "/nowhere/cert.pem"\nkeyfile = "/nowhere/key.pem"\n')
    for read in (partial(app.settings_again, manager), app.settings_to_serve):
        with pytest.raises(ConfigError, match=r"cert\.pem: No such file"):
            read()
