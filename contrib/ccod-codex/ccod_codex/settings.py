"""The table `[codex]` of the configuration file."""

from __future__ import annotations

import os
from typing import Annotated

from msgspec import field

from ccod import FilePath, setting
from ccod_jsonl.settings import TailSettings, require_named


def default_roots() -> list[str]:
    """Return the folders of running and of archived sessions below Codex's home."""
    home = os.environ.get("CODEX_HOME", "").strip().rstrip("/") or "~/.codex"
    return [f"{home}/sessions", f"{home}/archived_sessions"]


class CodexSettings(TailSettings, forbid_unknown_fields=True):
    """Sessions of Codex CLI."""

    roots: Annotated[
        list[FilePath],
        setting("Folders to watch; `sessions` and `archived_sessions` of CODEX_HOME, or else of ~/.codex.", live=True),
    ] = field(default_factory=default_roots)

    def __post_init__(self) -> None:
        require_named("codex", self.roots)
