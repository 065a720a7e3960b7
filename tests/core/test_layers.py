"""Where settings are written: the line that an error names, and who else may read a secret."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import msgspec
import pytest

from ccod.configuration import Configuration
from ccod.errors import ConfigError
from ccod.files import require_private, write_private
from ccod.local import LocalFile
from ccod.settings import FilePath, Seconds, setting


class Door(msgspec.Struct, forbid_unknown_fields=True):
    port: Annotated[int, setting("Port.", env="PORT", ge=0, le=65535)] = 3000
    key: Annotated[str, setting("Key.", secret=True)] = ""
    path: Annotated[FilePath, setting("Path.")] = ""
    paths: Annotated[list[FilePath], setting("Paths.")] = msgspec.field(default_factory=list)
    pause: Annotated[Seconds, setting("Pause.")] = 1
    weights: Annotated[dict[str, float], setting("Weights.")] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.port == 13:
            raise ConfigError("[door] port: 13 brings bad luck; choose another")


SCHEMAS: dict[str, type[msgspec.Struct]] = {"door": Door}


def configuration(tmp_path: Path, toml: str = "", environ: dict[str, str] | None = None) -> Configuration:
    file = tmp_path / "config.toml"
    file.write_text(toml)
    return Configuration(file, environ or {})


@pytest.mark.parametrize(
    ("toml", "place"),
    [
        ("\n[door]\nport = 'x'", "config.toml:3: [door] port = 'x': "),
        ("\n[door]\nport = 13", "config.toml:3: [door] port: 13 brings bad luck"),
        ("[door]\n\nprot = 1", "config.toml:3: nothing is called 'door.prot'; did you mean 'door.port'?"),
        ("\n[dor]\nport = 1", "config.toml:2: nothing is called 'dor'"),
        ("door.prot = 1", "config.toml:1: nothing is called 'door.prot'"),
        ("a = 1\nb = ", "config.toml:2: not valid TOML: Invalid value; correct it"),
        ("a = [\n1,\n", "config.toml:2: not valid TOML: Invalid value"),
        ("a = 1\na = 2", "config.toml:2: not valid TOML: Cannot overwrite a value"),
        ("a = 1\n[a]", "config.toml:2: not valid TOML: "),
        ("[door]\npause = nan", "config.toml:2: [door] pause = nan: "),
        ("[door]\npause = inf", "config.toml:2: [door] pause = inf: "),
        ("[door]\npause = 1e300", "config.toml:2: [door] pause = 1e+300: "),
        ("[door]\nweights = { a = nan }", "config.toml:2: [door] weights = {'a': nan}: Expected a finite number"),
        ("[door]\npath = '~nobody-of-that-name/x'", "config.toml:2: [door] path = '~nobody"),
        ("[door]\npaths = ['/', \"/\\u0000\"]", "config.toml:2: [door] paths = ['/', "),
        ("\nx" + ".a" * 3000 + " = 1", "config.toml:2: nothing is called 'x'"),
        ("\nx = " + "[" * 5000, "config.toml:2: not valid TOML: maximum recursion depth exceeded"),
        ("[door]\n\nport = " + "1" * 5000 + "\nx = 1", "config.toml:3: not valid TOML: Exceeds the limit"),
        ("[door]\npath = '" + 5000 * "x" + "'\nport = 1e9", "config.toml:3: [door] port"),
    ],
)
def test_an_error_names_file_line_and_key(tmp_path: Path, toml: str, place: str) -> None:
    with pytest.raises(ConfigError) as caught:
        configuration(tmp_path, toml).settings(SCHEMAS)
    assert place in str(caught.value)


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    found = configuration(tmp_path, "x = 1\n[door]\nport = 'x'\npause = -1\nprot = 2", {"CCOD_Y": "1"})
    places = [str(problem).removeprefix(str(tmp_path)).partition(" ")[0] for problem in found.problems(SCHEMAS)]
    assert places == ["/config.toml:1:", "/config.toml:5:", "environment:", "/config.toml:3:", "/config.toml:4:"]


def test_a_line_of_an_env_file_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("# PORT=1\n\nexport PORT=x\n")
    with pytest.raises(ConfigError, match=r"\.env:3: PORT = 'x'"):
        configuration(tmp_path).settings(SCHEMAS)
    (tmp_path / ".env").write_text("A=1\nthis is prose\n")
    with pytest.raises(ConfigError, match=r"\.env:2: not NAME=VALUE"):
        configuration(tmp_path)


@pytest.mark.parametrize("content", [b"\xff\xfea\x00", b"a = 1\n\xe9 = 2"])
def test_what_is_no_text_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "config.toml").write_bytes(content)
    line = 1 + content.count(b"\n")
    with pytest.raises(ConfigError, match=rf"config.toml:{line}: not UTF-8 text"):
        Configuration(tmp_path / "config.toml", {})


def test_a_byte_order_mark_and_carriage_returns_are_fine(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_bytes(b"\xef\xbb\xbf[door]\r\nport = 7\r\n")
    assert Configuration(tmp_path / "config.toml", {}).settings(SCHEMAS)[Door].port == 7


def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "dangling").symlink_to("nothing")
    (tmp_path / "long").write_bytes(b"#" * (2 * 1024 * 1024))
    for name in ("fifo", "loop", "dangling", "long", ".", "/dev/zero"):
        with pytest.raises(ConfigError, match=r"no regular file|Too many levels|No such file|longer than"):
            Configuration(tmp_path / name, {})
    assert Configuration(Path(os.devnull), {}).settings(SCHEMAS)[Door] == Door()


def test_a_default_file_that_is_a_broken_link_is_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "ccod").mkdir()
    (tmp_path / "ccod" / "config.toml").symlink_to("gone.toml")
    with pytest.raises(ConfigError, match="No such file"):
        Configuration(None, {"XDG_CONFIG_HOME": str(tmp_path)})


def test_files_without_secrets_may_be_read_by_all_and_others_not(tmp_path: Path) -> None:
    found = configuration(tmp_path, "[door]\nport = 1\nkey = ''")
    found.file.chmod(0o644)
    assert found.settings(SCHEMAS)[Door].port == 1
    found = configuration(tmp_path, "[door]\nkey = 'hunter2'")
    with pytest.raises(ConfigError, match=r"config.toml: holds a secret that other users may read; chmod ") as caught:
        found.settings(SCHEMAS)
    assert "hunter2" not in str(caught.value)
    found.file.chmod(0o600)
    assert configuration(tmp_path, "[door]\nkey = 'hunter2'").settings(SCHEMAS)[Door].key == "hunter2"


def test_an_env_file_with_a_secret_is_private_too(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("CCOD_DOOR__KEY=hunter2\n")
    with pytest.raises(ConfigError, match="holds a secret that other users may read"):
        configuration(tmp_path).settings(SCHEMAS)
    dotenv.chmod(0o600)
    assert configuration(tmp_path).settings(SCHEMAS)[Door].key == "hunter2"


def test_a_secret_may_come_as_a_systemd_credential(tmp_path: Path) -> None:
    folder = tmp_path / "credentials"
    write_private(folder / "door.key", b"hunter2\n")
    (folder / "door.port").write_text("1")
    environ = {"CREDENTIALS_DIRECTORY": str(folder)}
    found = configuration(tmp_path, "[door]\nport = 2", environ)
    assert found.settings(SCHEMAS)[Door] == Door(port=2, key="hunter2")
    assert configuration(tmp_path, "", environ | {"CCOD_DOOR__KEY": "x"}).settings(SCHEMAS)[Door].key == "x"


def test_a_private_file_is_written_whole_or_not(tmp_path: Path) -> None:
    target = tmp_path / "new" / "file"
    write_private(target, b"1")
    write_private(target, b"2")
    assert target.read_bytes() == b"2"
    assert (target.stat().st_mode & 0o777, target.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert [path.name for path in target.parent.iterdir()] == ["file"]


def test_a_private_file_that_cannot_take_its_place_leaves_nothing(tmp_path: Path) -> None:
    (target := tmp_path / "taken").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_private(target, b"1")
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_a_secret_of_another_user_is_refused(tmp_path: Path) -> None:
    status = os.stat_result((0o100600, 1, 1, 1, os.geteuid() + 1, 0, 1, 0, 0, 0))
    with pytest.raises(ConfigError, match="belongs to another user; chown it"):
        require_private(tmp_path / "key", status)


def test_a_folder_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "conf.d").symlink_to("conf.d")
    with pytest.raises(ConfigError, match=r"conf\.d: .*make it readable, or remove it"):
        configuration(tmp_path)


def test_an_option_that_nobody_has_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("")
    read = Configuration(tmp_path / "config.toml", {}, {"door.prot": "1"})
    with pytest.raises(ConfigError, match=r"command line: nothing is called 'door.prot'; did you mean 'door.port'\?"):
        read.settings(SCHEMAS)


class Two(msgspec.Struct, forbid_unknown_fields=True):
    """Two settings of which one is wanted."""

    one: Annotated[bool, setting("One.")] = False
    other: Annotated[bool, setting("Other.")] = False

    def __post_init__(self) -> None:
        if self.one and self.other:
            raise ConfigError("one of both is enough")


def test_what_no_single_setting_is_to_blame_for_is_said_of_the_table(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"\[two\]: one of both is enough"):
        configuration(tmp_path, "[two]\none = true\nother = true\n").settings({"two": Two})


def test_an_object_is_written_as_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Expected a JSON object"):
        configuration(tmp_path, environ={"CCOD_DOOR__WEIGHTS": "oak"}).settings(SCHEMAS)


def test_a_path_that_is_no_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"\[door\] paths = \[1\]: Expected `str`, got `int`"):
        configuration(tmp_path, "[door]\npaths = [1]\n").settings(SCHEMAS)


def test_where_the_current_folder_is_gone_a_path_begins_at_the_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = configuration(tmp_path, "[door]\npaths = ['/a', 'b']\n")
    (gone := tmp_path / "gone").mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(ConfigError, match="it is relative, and the current folder is gone; begin it with /"):
        read.settings(SCHEMAS)


@pytest.mark.parametrize("content", [b"a = ", b"\xff", b"a = " + b"[" * 10_000])
def test_a_local_file_that_is_wrong_is_named(tmp_path: Path, content: bytes) -> None:
    (file := tmp_path / "local.toml").write_bytes(content)
    with pytest.raises(ConfigError, match=r"local\.toml: .*; correct or remove it"):
        LocalFile(file)


def test_a_local_file_takes_no_value_where_none_can_be(tmp_path: Path) -> None:
    (file := tmp_path / "local.toml").write_text("door = 1\n")
    with pytest.raises(ConfigError, match="'door' is no table; correct or remove it"):
        LocalFile(file).set(("door", "port"), 1)
    with pytest.raises(ConfigError, match="its tables are too deep"):
        LocalFile(file).set(("a",) * 5000, 1)
    (tmp_path / "nowhere").symlink_to("gone")
    with pytest.raises(ConfigError, match="make its folder writable"):
        LocalFile(tmp_path / "nowhere" / "local.toml").set(("a",), 1)
