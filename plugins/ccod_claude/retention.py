"""How long Claude Code keeps its transcripts, and what of them goes soon.

It deletes those that were not written to for `cleanupPeriodDays` days, 30 unless its settings say otherwise, without a
warning; that happens some time after it is started.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from shlex import quote

from ccod import CcodError, Finding, Settings, start_command
from ccod_claude.layout import TRANSCRIPT_SUFFIX

DEFAULT_DAYS = 30
SOON_DAYS = 7
MANAGED = Path("/etc/claude-code/managed-settings.json")
STORED_SOON = "wait for the backfill, which `ccod status` shows; a file that stays behind is named by its own finding"
LONGEST_REST = 1024 * 1024
"""So much behind the checkpoint is looked at: a line without an end is kept, too."""


class UnreadableError(CcodError):
    """A file with settings of Claude Code cannot be understood."""

    def __init__(self, file: Path, reason: Exception) -> None:
        super().__init__(f"{file}: {reason}")
        self.file = file


def retention(root: Path) -> int:
    """Return how many days Claude Code keeps what is below a `projects` folder. Raises UnreadableError."""
    for file in (MANAGED, root.parent / "settings.json"):
        try:
            found = json.loads(file.read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            continue
        except (OSError, ValueError, RecursionError) as error:
            raise UnreadableError(file, error) from error
        days = found.get("cleanupPeriodDays") if isinstance(found, dict) else None
        if isinstance(days, int | float) and not isinstance(days, bool):
            return int(days)
    return DEFAULT_DAYS


def _corrected(file: Path) -> str:
    """Return what mends a file that Claude Code reads, too."""
    if file.is_file() and not os.access(file, os.R_OK):
        return f"sudo chmod a+r {quote(str(file))}"
    return f"correct the file: `python3 -m json.tool {quote(str(file))}` tells where it is wrong"


def going(root: Path, days: int, now: float) -> Iterator[tuple[Path, os.stat_result]]:
    """Yield the transcripts that are deleted within a week."""
    for folder, _, names in os.walk(root):
        for name in names:
            if not name.endswith(TRANSCRIPT_SUFFIX):
                continue
            path = Path(folder, name)
            try:
                status = path.stat()
            except OSError:
                continue  # it is gone already
            if now - status.st_mtime > (days - SOON_DAYS) * 86400:
                yield path, status


def findings(root: Path, stored: Mapping[str, int] | None, now: float | None = None) -> Iterator[Finding]:
    """Yield what is to be said of a root. `stored` is how far each file is; None where that cannot be told."""
    try:
        days = retention(root)
    except UnreadableError as error:
        text = f"{error}; {DEFAULT_DAYS} days are assumed"
        yield Finding("retention", "warning", text, _corrected(error.file))
        days = DEFAULT_DAYS
    soon = list(going(root, days, time.time() if now is None else now))
    kept = f"{root}: Claude Code keeps transcripts for {days} days"
    lost = soon if stored is None else [(path, s) for path, s in soon if not _is_stored(path, s.st_size, stored)]
    if not soon:
        yield Finding("retention", "ok", f"{kept}; none goes within {SOON_DAYS} days")
    elif stored is None:
        text = f"{kept}; {_sum(soon)}, and no daemon tells that it has stored them"
        yield Finding("retention", "problem", text, start_command())
    elif lost:
        yield Finding("retention", "problem", f"{kept}; {_sum(lost)}, and are not fully stored", STORED_SOON)
    else:
        yield Finding("retention", "ok", f"{kept}; {_sum(soon)}, and are stored")


def stored_by_the_daemon(settings: Settings, source: str) -> dict[str, int] | None:
    """Return how far the running daemon has stored each file, None where none answers."""
    from ccod_http.client import get, trouble

    try:
        if trouble(settings):
            return None
        found = get(settings, "/api/streams", source=source)
    except (CcodError, LookupError):
        return None
    offsets: dict[str, int] = {}
    for each in found:
        offsets[each["path"]] = max(each["offset"], offsets.get(each["path"], 0))
    return offsets


def _is_stored(path: Path, size: int, stored: Mapping[str, int]) -> bool:
    offset = stored.get(str(path))
    if offset is None or size - offset > LONGEST_REST:
        return False
    if offset >= size:
        return True
    try:
        with path.open("rb") as file:
            file.seek(offset)
            return b"\n" not in file.read(LONGEST_REST)
    except OSError:
        return False


def _sum(files: Collection[tuple[Path, os.stat_result]]) -> str:
    return f"{len(files)} with {sum(status.st_size for _, status in files) / 1e6:.1f} MB go within {SOON_DAYS} days"
