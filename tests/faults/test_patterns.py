"""Every regular expression on a little text; `python -m tests.faults.patterns` takes more of it."""

from __future__ import annotations

import importlib
import re
from typing import Any

import pytest

from tests.faults.finding_patterns import ROOT, Pattern
from tests.faults.patterns import Report, _try, is_nested, run

PARSER: Any = importlib.import_module("re._parser")


@pytest.mark.skipif(not (ROOT / "ccod").is_dir(), reason="the source is not here")
def test_no_pattern_repeats_a_repetition_or_takes_long() -> None:
    report = run(300)
    assert report.violations == []
    assert report.patterns > 150


@pytest.mark.parametrize("text", [r"(a+)+", r"(?:\w*)*x", r"(a|b+)*", r"((\s+)+)"])
def test_a_repetition_of_a_repetition_is_found(text: str) -> None:
    assert is_nested(PARSER.parse(text))


@pytest.mark.parametrize("text", [r"\w+(\.\w+)*", r"(?:a++)++", r"(?:[^-]|-(?!-))*+", r"(a{1,3})*"])
def test_what_something_stands_between_is_none(text: str) -> None:
    assert not is_nested(PARSER.parse(text))


def test_what_takes_long_is_found() -> None:
    report = Report(plain_ms=0.01)
    _try(Pattern("here", re.compile(r"(a|aa)+b")), 60, report)
    assert len(report.violations) == 1
