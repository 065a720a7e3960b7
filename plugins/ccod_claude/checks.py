"""What `ccod doctor` finds about transcripts: their folders, the watching of them, and what Claude Code deletes."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from ccod import Finding, Settings
from ccod_claude import retention
from ccod_claude.layout import TRANSCRIPT_SUFFIX
from ccod_claude.settings import ClaudeSettings

WATCHES = Path("/proc/sys/fs/inotify/max_user_watches")
RAISE = "sudo sysctl fs.inotify.max_user_watches=524288"


def findings(settings: Settings) -> Iterator[Finding]:
    from ccod_claude.source import ClaudeSource

    mine = settings[ClaudeSettings]
    source = ClaudeSource(mine)
    stored = retention.stored_by_the_daemon(settings, source.name)
    folders = 0
    for root in map(Path, source.roots):
        found = _root(root)
        yield found
        if found.state == "ok":
            folders += sum(1 for _ in os.walk(root))
            yield from retention.findings(root, stored)
    yield from _watcher(mine.watcher, folders)


def _root(root: Path) -> Finding:
    if not root.exists():
        home = json.dumps([str(Path("~/.claude/projects").expanduser())])
        text = f"{root}: is not there; Claude Code makes it, unless it is another folder"
        return Finding("roots", "warning", text, f"ccod config set claude.roots '{home}'")
    if not root.is_dir():
        return Finding("roots", "problem", f"{root}: is no folder", "ccod config show claude --origin")
    for folder, _, files in os.walk(root):
        if not os.access(folder, os.R_OK | os.X_OK):
            return Finding("roots", "problem", f"{folder}: this user may not read it", f"chmod u+rx '{folder}'")
        for name in files:
            path = os.path.join(folder, name)  # noqa: PTH118 - there may be very many
            if name.endswith(TRANSCRIPT_SUFFIX) and not os.access(path, os.R_OK):
                return Finding("roots", "problem", f"{path}: this user may not read it", f"chmod u+r '{path}'")
    return Finding("roots", "ok", f"{root}: can be read")


def _watcher(kind: str, folders: int) -> Iterator[Finding]:
    """Yield whether the kernel allows as many watches as there are folders; without it a scan finds changes later."""
    if kind == "none":
        yield Finding("watcher", "warning", "changes are found by scanning alone", "ccod config unset claude.watcher")
    elif kind in {"auto", "inotify"} and sys.platform == "linux":
        try:
            most = int(WATCHES.read_text())
        except (OSError, ValueError):
            return
        text = f"{folders} folders are watched; inotify allows {most} for all programs of this user"
        yield Finding("watcher", "warning", text, RAISE) if folders > most // 2 else Finding("watcher", "ok", text)
