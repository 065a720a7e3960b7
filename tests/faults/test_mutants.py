"""What `python -m tests.faults.mutants` changes, and that tests which notice nothing are told from those that do."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.mutants import AREAS, ROOT, Tally
from tests.faults.mutating import Mutant, changes, mutants_of

HERE = pytest.mark.skipif(not (ROOT / "ccod").is_dir(), reason="the source is not here")

WIDTH = """
def is_wide(text: str, most: int) -> bool:
    return len(text) > most and text != ""
"""


def changed(source: str) -> set[str]:
    """Return all that a source can be changed into."""
    found = set()
    for number in range(len(list(changes(ast.parse(source))))):
        tree = ast.parse(source)
        list(changes(tree))[number].make()
        found.add(ast.unparse(ast.fix_missing_locations(tree)))
    return found


@pytest.mark.parametrize(
    ("source", "new"),
    [
        ("x = a < b", {"x = a <= b"}),
        ("x = a is None", {"x = a is not None"}),
        ("x = a in b", {"x = a not in b"}),
        ("x = a and b", {"x = a or b"}),
        ("x = not a", {"x = a"}),
        ("x = a + 1", {"x = a - 1", "x = a + 2"}),
        ("x = True", {"x = False"}),
        ("x = 'batch'", {"x = 'XXbatch'"}),
        ("f(a, b)", {"pass", "f(b, a)"}),
        ("a.b = c", {"pass"}),
        ("x = f'{a}#'", {"x = f'{a}XX#'"}),
        ("a += b", {"pass", "a -= b"}),
        ("for x in y:\n    break", {"for x in y:\n    continue"}),
        ("if a:\n    b = c", {"if not a:\n    b = c"}),
        ("def f():\n    return x", {"def f():\n    return None"}),
    ],
)
def test_what_is_changed(source: str, new: set[str]) -> None:
    assert changed(source) == new


@pytest.mark.parametrize(
    "source",
    [
        '"""A docstring."""',
        "x: Literal[1, 2]",
        "Count = Annotated[int, Meta(ge=0)] | None",
        "Role = Literal['user', 'admin']",
        "assert a == 1",
        "log.info('message', count=1)",
        "x = 'words for people'",
        "PAUSE_SECONDS = 3",
        "pause: Annotated[Seconds, setting('How long.')] = 3",
        "@cache(maxsize=2)\ndef f(): ...",
        "class A(Struct, frozen=True): ...",
        "__all__ = ['a']",
        "x = max(a, b)",
        "x = f'{a:2}'",
        "x = f'{a + 1} words.'",
    ],
)
def test_what_is_left_alone(source: str) -> None:
    assert changed(source) == set()


def test_a_mutant_names_its_place_and_is_the_same_again(tmp_path: Path) -> None:
    path = tmp_path / "width.py"
    path.write_text(WIDTH)
    found = mutants_of(path)
    first = next(each for each in found if each.old.startswith("len(text) >") and "and" not in each.old)
    assert (first.line, first.function, first.new) == (3, 2, "len(text) >= most")
    names: dict[str, object] = {}
    exec(first.code(), names)
    assert names["is_wide"]("ab", 2)  # type: ignore[operator]
    assert path.read_text() == WIDTH


def test_a_low_score_is_judged_where_there_are_enough() -> None:
    mutant = Mutant(ROOT / "x.py", 0, 1, 0, "a", "b")
    tally = Tally()
    for number in range(60):
        tally.add(mutant, "survived" if number % 4 == 0 else "timeout" if number % 4 == 1 else "killed")
        assert tally.is_judged_low == (number >= 49)
    assert (tally.mutants, tally.killed, tally.timeouts, tally.score) == (60, 45, 15, 0.75)


@HERE
def test_every_area_has_its_files() -> None:
    for area in AREAS.values():
        for part in area:
            assert all(path.is_file() for path in part.files())
            assert all((ROOT / test).exists() for test in part.tests)


@HERE
def test_mutants_of_a_file_are_tried() -> None:
    file = "plugins/ccod_prices/table.py"
    command = [sys.executable, "-m", "tests.faults.mutants", "--only", file, "--count", "3", "--seed", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout.splitlines()[-1])["accounting"]
    assert told["mutants"] == 3
    assert told["killed"] + done.stdout.count("SURVIVED: ") == 3
    assert told["killed"] > 0
