"""The map from the OWASP ASVS to tests is whole, and names nothing that is not there."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SECURITY = ROOT / "docs" / "security.md"

if not SECURITY.exists():
    pytest.skip("the documentation is checked on the source tree", allow_module_level=True)

_ROW = re.compile(r"^\| (\d+\.\d+\.\d+[^|]*) \| (.*) \|$", re.MULTILINE)
_TEST = re.compile(r"`(tests/[\w/]+\.py)(?:::(test_\w+))?`")
SECTIONS = (
    "1.1:2 1.2:9 1.3:11 1.4:3 1.5:2 2.1:3 2.2:3 2.3:4 2.4:1 3.2:2 3.3:4 3.4:6 3.5:5 3.7:2 4.1:3 4.2:1 4.3:2 4.4:4 "
    "5.1:1 5.2:3 5.3:2 5.4:3 6.1:3 6.2:12 6.3:4 6.4:4 6.5:5 6.6:3 6.8:4 7.1:3 7.2:4 7.3:2 7.4:5 7.5:2 7.6:2 "
    "8.1:2 8.2:3 8.3:1 8.4:1 9.1:3 9.2:4 10.1:2 10.2:2 10.3:4 10.4:11 10.5:5 10.6:2 10.7:3 "
    "11.1:2 11.2:3 11.3:3 11.4:4 11.5:1 11.6:1 12.1:3 12.2:2 12.3:4 13.1:1 13.2:5 13.3:2 13.4:5 14.1:2 14.2:4 14.3:3 "
    "15.1:3 15.2:3 15.3:7 16.1:1 16.2:5 16.3:4 16.4:3 16.5:3 17.1:1 17.2:4 17.3:2"
)
"""How many items of levels 1 and 2 each section of version 5.0.0 begins with; those of level 3 follow them."""


def rows() -> list[tuple[str, str]]:
    return _ROW.findall(SECURITY.read_text().partition("## OWASP ASVS")[2])


def items(written: str) -> Iterator[str]:
    """Yield the items of a cell such as `1.2.6 to 1.2.8, 1.3.8`."""
    for part in written.split(", "):
        first, _, last = part.partition(" to ")
        section, _, number = first.rpartition(".")
        end = last.removeprefix(f"{section}.") if last else number
        yield from (f"{section}.{each}" for each in range(int(number), int(end) + 1))


def test_every_item_of_levels_1_and_2_is_there_once() -> None:
    counted = (each.split(":") for each in SECTIONS.split())
    wanted = Counter(f"{section}.{number}" for section, count in counted for number in range(1, int(count) + 1))
    assert wanted.total() == 253
    assert Counter(item for written, _ in rows() for item in items(written)) == wanted


def test_what_is_said_to_hold_ccod_to_it_exists() -> None:
    named = _TEST.findall(SECURITY.read_text())
    assert len(named) > 100
    for path, name in named:
        source = (ROOT / path).read_text()
        assert not name or re.search(rf"^(async )?def {name}\(", source, re.MULTILINE), f"{path}::{name}"


def test_every_applicable_item_names_a_test_or_says_that_there_is_none() -> None:
    for written, rest in rows():
        cells = rest.split(" | ")
        assert len(cells) == 1 or _TEST.search(cells[-1]) or cells[-1].startswith("no test"), written
