"""The layers of the configuration, and what a person reads when one is wrong."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccod.configuration import Configuration
from ccod.errors import ConfigError
from ccod.files import write_private
from ccod.places import default_file
from ccod.settings import Bytes, Seconds, setting


class Limits(msgspec.Struct, forbid_unknown_fields=True):
    window: Annotated[Seconds, setting("Window.", env="WINDOW_MS", env_unit="ms")] = 900.0


class Door(msgspec.Struct, forbid_unknown_fields=True):
    port: Annotated[int, setting("Port.", env="PORT", option="--port", ge=0, le=65535)] = 3000
    names: Annotated[list[str], setting("Names.")] = msgspec.field(default_factory=list)
    size: Annotated[Bytes, setting("Size.")] = 1024
    kind: Annotated[Literal["wood", "steel"], setting("Kind.")] = "wood"
    open: Annotated[bool, setting("Open.")] = False
    key: Annotated[str, setting("Key.", secret=True, pattern="^k")] = "k"
    limits: Limits = msgspec.field(default_factory=Limits)


SCHEMAS: dict[str, type[msgspec.Struct]] = {"door": Door}


def read(tmp_path: Path, toml: str = "", environ: dict[str, str] | None = None, **overrides: str) -> Door:
    file = tmp_path / "config.toml"
    file.write_text(toml)
    names = {name.replace("__", "."): text for name, text in overrides.items()}
    return Configuration(file, environ or {}, names).settings(SCHEMAS)[Door]


def test_defaults(tmp_path: Path) -> None:
    assert read(tmp_path) == Door()


def test_each_layer_beats_the_one_before(tmp_path: Path) -> None:
    toml = "[door]\nport = 1"
    assert read(tmp_path, toml).port == 1
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d" / "a.toml").write_text("[door]\nport = 2")
    assert read(tmp_path, toml).port == 2
    (tmp_path / ".env").write_text("PORT=3\n")
    assert read(tmp_path, toml).port == 3
    (tmp_path / ".env").write_text("PORT=3\nCCOD_DOOR__PORT=4\n")
    assert read(tmp_path, toml).port == 4
    assert read(tmp_path, toml, {"PORT": "5"}).port == 4
    (tmp_path / ".env").write_text("PORT=3\n")
    assert read(tmp_path, toml, {"PORT": "5"}).port == 5
    assert read(tmp_path, toml, {"PORT": "5", "CCOD_DOOR__PORT": "6"}).port == 6
    assert read(tmp_path, toml, {"CCOD_DOOR__PORT": "6"}, door__port="7").port == 7


def test_an_empty_variable_sets_nothing(tmp_path: Path) -> None:
    assert read(tmp_path, "[door]\nport = 1", {"PORT": "", "CCOD_DOOR__PORT": ""}).port == 1


@pytest.mark.parametrize(
    ("environ", "name", "value"),
    [
        ({"CCOD_DOOR__NAMES": "a, b"}, "names", ["a", "b"]),
        ({"CCOD_DOOR__NAMES": '["a,b"]'}, "names", ["a,b"]),
        ({"CCOD_DOOR__SIZE": "16MiB"}, "size", 16 * 2**20),
        ({"CCOD_DOOR__OPEN": "true"}, "open", True),
        ({"CCOD_DOOR__LIMITS__WINDOW": "24h"}, "limits", Limits(86400.0)),
        ({"CCOD_DOOR__LIMITS__WINDOW": "500"}, "limits", Limits(500.0)),
        ({"WINDOW_MS": "500"}, "limits", Limits(0.5)),
        ({"WINDOW_MS": "2s"}, "limits", Limits(2.0)),
    ],
)
def test_text_becomes_the_setting_s_type(tmp_path: Path, environ: dict[str, str], name: str, value: object) -> None:
    assert getattr(read(tmp_path, environ=environ), name) == value


def test_a_word_may_be_in_capitals(tmp_path: Path) -> None:
    assert read(tmp_path, '[door]\nkind = "Steel"').kind == "steel"
    environ = {"LOG_LEVEL": "ERROR", "CCOD_LOG__LEVELS": '{"http": "DEBUG"}'}
    log = Configuration(environ=environ | {"XDG_CONFIG_HOME": str(tmp_path)}).core().log
    assert (log.level, log.levels) == ("error", {"http": "debug"})


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ('[door]\nport = "3000"', r"config.toml:2: \[door\] port = '3000': Expected `int`, got `str`"),
        ("[door]\nport = 65536", r"\[door\] port = 65536: Expected `int` <= 65535"),
        ("[door]\nport = true", r"\[door\] port = True: Expected `int`, got `bool`"),
        ('[door]\nkind = "glass"', r"Invalid enum value 'glass'; choose from: wood, steel"),
        ('[door]\nsize = "big"', r"expected a number of bytes, or one followed by B, kB"),
        ('[door]\nsize = "-1"', r"expected a number of bytes"),
        ("[door]\nprot = 1", r"nothing is called 'door.prot'; did you mean 'door.port'\?"),
        ("[doors]\nport = 1", r"nothing is called 'doors'"),
        ("[door.limits]\nwindw = 1", r"did you mean 'door.limits.window'\?"),
        ("door = 1", r"nothing is called 'door'"),
        ("[door\nport = 1", r"not valid TOML"),
        ("\x00", r"not valid TOML"),
        ("x = " + "[" * 5000, r"not valid TOML"),
        ('storrage = "x"', r"did you mean 'storage'\?"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, toml: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read(tmp_path, toml)


def test_a_secret_is_never_shown(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, '[door]\nkey = "hunter2"')
    assert "hunter2" not in str(caught.value)


def test_a_secret_may_stand_in_a_file_or_a_variable(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("k-hunter2\n")
    file.chmod(0o600)
    assert read(tmp_path, f'[door]\nkey = {{ file = "{file}" }}').key == "k-hunter2"
    assert read(tmp_path, '[door]\nkey = { env = "KEY" }', {"KEY": "k-hunter3"}).key == "k-hunter3"


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ('{ file = "key" }', "is not absolute"),
        ('{ file = "/nonexistent/key" }', "No such file"),
        ('{ file = "/" }', "no regular file"),
        ('{ file = "/dev/zero" }', "no regular file"),
        ('{ file = "FOLDER/binary" }', "no UTF-8"),
        ('{ file = "FOLDER/long" }', "longer than"),
        ('{ env = "GONE" }', "GONE is not set"),
        ('{ path = "/key" }', "write a text"),
        ('{ file = "/key", env = "KEY" }', "write a text"),
        ("{ file = 1 }", "write a text"),
    ],
)
def test_a_secret_that_is_not_there_is_an_error(tmp_path: Path, value: str, problem: str) -> None:
    write_private(tmp_path / "binary", b"\xff\xfe")
    write_private(tmp_path / "long", bytes(100_000))
    with pytest.raises(ConfigError, match=problem) as caught:
        read(tmp_path, f"[door]\nkey = {value.replace('FOLDER', str(tmp_path))}")
    assert "[door] key" in str(caught.value)


@pytest.mark.parametrize("name", ["CCOD_DOOR__PROT", "CCOD_DOORS__PORT", "CCOD_X"])
def test_an_unknown_variable_is_an_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=f"no setting answers to {name}"):
        read(tmp_path, environ={name: "1"})


def test_tables_of_absent_plugins_are_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("[gone]\nx = 1")
    configuration = Configuration(file, {"CCOD_GONE__X": "1"})
    assert configuration.settings(SCHEMAS, absent=["gone"])[Door] == Door()
    with pytest.raises(ConfigError):
        configuration.settings(SCHEMAS)


def test_settings_of_a_plugin_that_is_left_out_are_an_error_for_who_needs_them(tmp_path: Path) -> None:
    (file := tmp_path / "config.toml").write_text('disable = ["door"]\n')
    configuration = Configuration(file, {})
    settings = configuration.settings({}, absent=["door"])
    with pytest.raises(ConfigError, match=r"needs the plugin of \w+, which is left out \(door\); keep it") as raised:
        settings[Door]
    assert str(configuration.placed(raised.value, {})).startswith(f"{file}:1: disable: ")


def test_only_a_file_that_was_named_must_exist(tmp_path: Path) -> None:
    environ = {"XDG_CONFIG_HOME": str(tmp_path)}
    assert default_file(environ) == tmp_path / "ccod" / "config.toml"
    assert Configuration(None, environ).settings(SCHEMAS)[Door] == Door()
    with pytest.raises(ConfigError, match="No such file"):
        Configuration(tmp_path / "gone.toml", environ)


@given(st.binary(max_size=200))
def test_no_file_whatsoever_is_more_than_a_configuration_error(
    tmp_path_factory: pytest.TempPathFactory, raw: bytes
) -> None:
    file = tmp_path_factory.mktemp("fuzz") / "config.toml"
    file.write_bytes(raw)
    with suppress(ConfigError):
        Configuration(file, {}).settings(SCHEMAS)
