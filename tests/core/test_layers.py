"""Where settings are written: the line that an error names, and who else may read a secret."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import msgspec
import pytest

from ccod.configuration import Configuration
from ccod.errors import ConfigError
from ccod.files import write_private
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
