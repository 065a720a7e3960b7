"""What is said of the transcripts that Claude Code is going to delete."""

from __future__ import annotations

import json
import os
from pathlib import Path
from shlex import quote

import pytest

from ccod_claude.retention import UnreadableError, findings, retention

NOW = 1_800_000_000.0
DAY = 86400


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "projects"
    root.mkdir()
    return root


def write(root: Path, name: str, days_ago: float, content: bytes = b"{}\n") -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (NOW - days_ago * DAY, NOW - days_ago * DAY))
    return path


@pytest.mark.parametrize(
    ("content", "days"),
    [(None, 30), ({}, 30), ({"cleanupPeriodDays": 365}, 365), ({"cleanupPeriodDays": "x"}, 30), ([], 30)],
)
def test_the_period_stands_in_settings_beside_the_root(root: Path, content: object, days: int) -> None:
    if content is not None:
        (root.parent / "settings.json").write_text(json.dumps(content))
    assert retention(root) == days


@pytest.mark.parametrize("content", [b"{", b"\xff", b"[" * 100_000])
def test_settings_that_cannot_be_read_are_named(root: Path, content: bytes) -> None:
    (root.parent / "settings.json").write_bytes(content)
    with pytest.raises(UnreadableError, match=r"settings\.json: "):
        retention(root)
    warning, rest = findings(root, {}, NOW)
    assert (warning.state, rest.state) == ("warning", "ok")
    file = root.parent / "settings.json"
    assert warning.fix == f"correct the file: `python3 -m json.tool {quote(str(file))}` tells where it is wrong"


def test_only_what_goes_within_a_week_counts(root: Path) -> None:
    write(root, "p/young.jsonl", 22.9)
    write(root, "p/notes.txt", 29)
    (finding,) = findings(root, {}, NOW)
    assert finding.text == f"{root}: Claude Code keeps transcripts for 30 days; none goes within 7 days"
    assert finding.state == "ok"
    write(root, "p/s/subagents/agent-a.jsonl", 23.1)
    (finding,) = findings(root, {}, NOW)
    assert finding.state == "problem"
    assert "1 with 0.0 MB go within 7 days, and are not fully stored" in finding.text


def test_what_is_stored_is_safe(root: Path) -> None:
    path = write(root, "p/s.jsonl", 25, b'{"a":1}\n{"b":2}\n')
    states = {offset: next(findings(root, {str(path): offset}, NOW)).state for offset in (0, 8, 15, 16)}
    assert states == {0: "problem", 8: "problem", 15: "problem", 16: "ok"}


def test_a_last_line_without_an_end_is_kept_by_its_stream(root: Path) -> None:
    path = write(root, "p/s.jsonl", 25, b'{"a":1}\n{"b"')
    (finding,) = findings(root, {str(path): 8}, NOW)
    assert finding.state == "ok"


def test_without_a_daemon_it_is_a_problem(root: Path) -> None:
    write(root, "p/s.jsonl", 25)
    (finding,) = findings(root, None, NOW)
    assert (finding.state, finding.fix) == ("problem", "ccod serve")
