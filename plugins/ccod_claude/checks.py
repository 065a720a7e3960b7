"""What `ccod doctor` finds about transcripts: their folders, the watching of them, and what Claude Code deletes."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from shlex import quote

from ccod import Finding, Settings, expanded
from ccod_claude import retention
from ccod_claude.layout import TRANSCRIPT_SUFFIX
from ccod_claude.settings import ClaudeSettings, default_roots

WATCHES = Path("/proc/sys/fs/inotify/max_user_watches")
ENOUGH = 524288


def findings(settings: Settings) -> Iterator[Finding]:
    from ccod_claude.source import ClaudeSource

    mine = settings[ClaudeSettings]
    source = ClaudeSource(mine)
    stored = retention.stored_by_the_daemon(settings, source.name)
    folders = 0
    for root in map(Path, source.roots):
        found = _root(root, source.roots)
        yield found
        if found.state == "ok":
            folders += sum(1 for _ in os.walk(root))
            yield from retention.findings(root, stored)
    yield from _watcher(mine.watcher, folders)


def _root(root: Path, roots: Sequence[str]) -> Finding:
    if not root.exists():
        return Finding("roots", "warning", f"{root}: is not there; put it back, or leave it out", _instead(root, roots))
    if not root.is_dir():
        return Finding("roots", "problem", f"{root}: is no folder", _instead(root, roots))
    for folder, _, files in os.walk(root):
        if not os.access(folder, os.R_OK | os.X_OK):
            return Finding("roots", "problem", f"{folder}: this user may not read it", _opened(folder, "u+rx"))
        for name in files:
            path = os.path.join(folder, name)  # noqa: PTH118 - there may be very many
            if name.endswith(TRANSCRIPT_SUFFIX) and not os.access(path, os.R_OK):
                return Finding("roots", "problem", f"{path}: this user may not read it", _opened(path, "u+r"))
    return Finding("roots", "ok", f"{root}: can be read")


def _instead(root: Path, roots: Sequence[str]) -> str:
    """Return what mends a root that is none: to name others, where some are there, or what only a person can know."""
    others = [each for each in roots if each != str(root) and Path(each).is_dir()]
    usual = [str(each) for each in map(expanded, default_roots()) if each.is_dir()]
    if named := others or usual:
        return f"ccod config set claude.roots {quote(json.dumps(named))}"
    return (
        "name the folder that Claude Code writes to, as in "
        "`ccod config set claude.roots /other/projects`; where it was never used yet, its first start makes it"
    )


def _opened(path: str, mode: str) -> str:
    """Return the command that lets this user read a file or folder."""
    if Path(path).stat().st_uid == os.getuid():
        return f"chmod {mode} {quote(path)}"
    return f"sudo setfacl -m u:{os.getuid()}:{mode.removeprefix('u+')} {quote(path)}"


def _watcher(kind: str, folders: int) -> Iterator[Finding]:
    """Yield whether the kernel allows as many watches as there are folders; without it a scan finds changes later."""
    if kind == "none":
        yield Finding(
            "watcher", "warning", "changes are found by scanning alone", "ccod config set claude.watcher auto"
        )
    elif kind in {"auto", "inotify"} and sys.platform == "linux":
        try:
            most = int(WATCHES.read_text())
        except (OSError, ValueError):
            return
        text = f"{folders} folders are watched; inotify allows {most} for all programs of this user"
        if folders > most // 2:
            raised = f"sudo sysctl fs.inotify.max_user_watches={max(ENOUGH, 4 * folders)}"
            yield Finding("watcher", "warning", text, raised)
        else:
            yield Finding("watcher", "ok", text)
