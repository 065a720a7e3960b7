"""The table `[claude]` of the configuration file."""

from __future__ import annotations

import os
from typing import Annotated

from msgspec import field

from ccod import FilePath, setting
from ccod_jsonl.settings import TailSettings, require_named


def default_roots() -> list[str]:
    """Return the `projects` folder of each of Claude Code's own configuration folders."""
    folders = [name.strip() for name in os.environ.get("CLAUDE_CONFIG_DIR", "").split(",")]
    return [f"{name.rstrip('/')}/projects" for name in folders if name] or ["~/.claude/projects"]


class ClaudeSettings(TailSettings, forbid_unknown_fields=True):
    """Transcripts of Claude Code."""

    roots: Annotated[
        list[FilePath],
        setting(
            "`projects` folders to watch; those of CLAUDE_CONFIG_DIR, or else of ~/.claude. "
            "CLAUDE_PROJECTS_PATH takes a list with commas or a JSON array. With [] nothing is read.",
            env="CLAUDE_PROJECTS_PATH",
            live=True,
        ),
    ] = field(default_factory=default_roots)

    def __post_init__(self) -> None:
        require_named("claude", self.roots)
