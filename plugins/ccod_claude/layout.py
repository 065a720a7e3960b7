"""Where Claude Code puts its transcripts below a `projects` folder, and what their names tell."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

SUFFIX = ".jsonl"
AGENT_PREFIX = "agent-"
SUBAGENTS = "subagents"
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
SESSION_ID = re.compile(rb'"sessionId"\s*:\s*"([\x20\x21\x23-\x5b\x5d-\x7e]{1,200})"')


class Place(NamedTuple):
    """What a transcript's path tells: its agent, and its conversation, which is a guess where the lines know better."""

    conversation: str
    agent: str | None
    guessed: bool


def place(parts: Sequence[str]) -> Place | None:
    """Return what the path `parts` below a root stands for, or None where no transcript belongs there.

    `<project>/<session>.jsonl`, `<project>/agent-<id>.jsonl`, `<project>/<session>/subagents/…/agent-<id>.jsonl`.
    """
    stem = readable(parts[-1].removesuffix(SUFFIX))
    is_agent = stem.startswith(AGENT_PREFIX)
    agent = stem.removeprefix(AGENT_PREFIX) if is_agent else None
    if not parts[-1].endswith(SUFFIX) or "" in (stem, agent):
        return None
    if len(parts) == 2:
        return None if stem == "journal" else Place(stem, agent, UUID.fullmatch(stem) is None)
    if len(parts) >= 4 and parts[2] == SUBAGENTS and is_agent:
        return Place(readable(parts[1]), agent, guessed=False)
    return None


def is_entered(parts: Sequence[str]) -> bool:
    """Tell whether transcripts can stand in or below the folder `parts`."""
    return len(parts) < 3 or parts[2] == SUBAGENTS


def conversation(place: Place, beginning: bytes) -> str:
    """Return the conversation of the transcript at `place` that begins with these bytes."""
    named = SESSION_ID.search(beginning) if place.guessed else None
    return named[1].decode() if named else place.conversation


def readable(name: str) -> str:
    """Return a file name as text that can be stored, whatever bytes it has."""
    return name if name.isascii() else name.encode("utf-8", "backslashreplace").decode()
