"""The Containerfile, read as a builder reads it: no engine is needed for what goes wrong most often."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

from ccod.configuration import declared
from ccod.manager import Manager

ROOT = Path(__file__).parents[2]
FILE = ROOT / "contrib" / "container" / "Containerfile"

if not FILE.exists():
    pytest.skip("the Containerfile is in the source tree", allow_module_level=True)


def instructions() -> Iterator[tuple[str, str]]:
    text = re.sub(r"(?m)^#.*\n", "", FILE.read_text()).replace("\\\n", " ")
    for line in filter(str.strip, text.splitlines()):
        word, _, rest = line.partition(" ")
        yield word, rest.strip()


def last(word: str) -> str:
    return [rest for found, rest in instructions() if found == word][-1]


def test_what_is_copied_is_there_and_in_the_context() -> None:
    allowed = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    for rest in (rest for word, rest in instructions() if word == "COPY" and not rest.startswith("--from")):
        for source in rest.split()[:-1]:
            assert any(fnmatch(source, pattern) for pattern in allowed), source
            assert source.startswith("dist/") or (ROOT / source).exists(), source


def test_the_base_has_a_version_and_a_python_that_ccod_runs_on() -> None:
    bases = [
        re.fullmatch(r"python:(\d+)\.(\d+)-slim( AS \w+)?", rest) for word, rest in instructions() if word == "FROM"
    ]
    assert len(bases) == 2
    for base in bases:
        assert base, "FROM names no version"
        assert (int(base[1]), int(base[2])) >= (3, 11)


def test_it_runs_as_nobody_special_stops_in_order_and_says_how_it_is() -> None:
    assert last("USER").split(":")[0] not in {"0", "root"}
    assert last("STOPSIGNAL") == "SIGTERM"
    assert json.loads(last("ENTRYPOINT")) == ["ccod"]
    command = json.loads(last("HEALTHCHECK").partition("CMD ")[2])
    assert command == ["python", "/opt/ccod/healthy.py"]
    assert set(json.loads(last("VOLUME"))) == {"/data", "/run/ccod"}


def test_its_variables_are_settings() -> None:
    known = {field.variable for field in declared(Manager().schemas())} | {"PATH", "HOME"}
    assert set(re.findall(r"(\w+)=", last("ENV"))) <= known


def test_the_health_check_fails_where_nobody_listens(tmp_path: Path) -> None:
    script = FILE.with_name("healthy.py")
    done = subprocess.run([sys.executable, script], env={"CCOD_HTTP__SOCKET": str(tmp_path / "gone")}, check=False)
    assert done.returncode == 1
