"""The table `[claude]` of the configuration file."""

from __future__ import annotations

import os
from typing import Annotated, Literal

from msgspec import Struct, field

from ccod import Bytes, ConfigError, FilePath, Seconds, setting


def default_roots() -> list[str]:
    """Return the `projects` folder of each of Claude Code's own configuration folders."""
    folders = [name.strip() for name in os.environ.get("CLAUDE_CONFIG_DIR", "").split(",")]
    return [f"{name.rstrip('/')}/projects" for name in folders if name] or ["~/.claude/projects"]


class ClaudeSettings(Struct, forbid_unknown_fields=True):
    """Transcripts of Claude Code."""

    roots: Annotated[
        list[FilePath],
        setting(
            "`projects` folders to watch; those of CLAUDE_CONFIG_DIR, or else of ~/.claude. "
            "CLAUDE_PROJECTS_PATH takes a list with commas or a JSON array.",
            env="CLAUDE_PROJECTS_PATH",
            live=True,
            min_length=1,
        ),
    ] = field(default_factory=default_roots)
    max_line: Annotated[Bytes, setting("A longer line is kept in pieces and not parsed.")] = 16 * 2**20
    scan_interval: Annotated[
        Seconds, setting("Pause between two looks at every file, which find what the watcher missed.", live=True)
    ] = 2
    scan_interval_idle: Annotated[
        Seconds, setting("The pause doubles up to this while nothing happens.", live=True)
    ] = 30
    check_after: Annotated[
        Seconds,
        setting("A file that grew is read again so long after, to see whether what was read of it is still the same."),
    ] = 60
    watcher: Annotated[
        Literal["auto", "inotify", "watchfiles", "none"],
        setting("What tells of changes at once; `auto` is inotify on Linux and watchfiles elsewhere."),
    ] = "auto"
    history_after: Annotated[
        Seconds, setting("A file first found this long after its last change is history: stored, but no news.")
    ] = 300

    def __post_init__(self) -> None:
        if not all(root.strip() for root in self.roots):
            raise ConfigError("[claude] roots: one of them is empty; name a `projects` folder there, or remove it")
