"""The ratios of earlier runs, one JSON line each, and how the newest compare with the last of them."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from msgspec import Struct

PROJECT = Path(__file__).parents[2]
FILE = PROJECT / "docs" / "bench-history.jsonl"


class Point(Struct, frozen=True):
    """The ratios of one run, of a corpus of this size: those that depend least on the machine and the hour."""

    commit: str
    at: str
    python: str
    size: str
    ratios: Mapping[str, float]


def point(python: str, size: str, ratios: Mapping[str, float]) -> Point:
    """Return the ratios of a run that ends now, of what is checked out; a commit with changes ends with `+`."""
    commit = _git("describe", "--always", "--dirty=+") or "unknown"
    rounded = {name: round(value, 3) for name, value in ratios.items()}
    return Point(commit, datetime.now(UTC).isoformat(timespec="seconds"), python, size, rounded)


def last(size: str, file: Path = FILE) -> Point | None:
    """Return the newest run that was kept of a corpus of this size."""
    if not file.exists():
        return None
    points = [msgspec.json.decode(line, type=Point) for line in file.read_bytes().splitlines()]
    return next((each for each in reversed(points) if each.size == size), None)


def keep(new: Point, file: Path = FILE) -> None:
    with file.open("ab") as kept:
        kept.write(msgspec.json.encode(new) + b"\n")


def lines(before: Point, now: Point) -> list[str]:
    """Return a table of both."""
    head = [f"| ratio | {before.commit}, {before.at[:10]} | {now.commit} | change |", "|---|---|---|---|"]
    rows = []
    for name, value in now.ratios.items():
        old = before.ratios.get(name)
        change = "" if not old else f"{value / old - 1:+.0%}"
        rows.append(f"| {name} | {'' if old is None else old} | {value} | {change} |")
    return head + rows


def _git(*arguments: str) -> str:
    """Return what git says, or nothing where there is no git or no repository."""
    if not (git := shutil.which("git")):
        return ""
    done = subprocess.run([git, *arguments], cwd=PROJECT, check=False, capture_output=True, text=True, timeout=30)
    return done.stdout.strip()
