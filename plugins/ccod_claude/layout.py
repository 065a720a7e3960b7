"""Where Claude Code puts its transcripts below a `projects` folder, and what their names tell."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from ccod_jsonl.tail import Place, readable

TRANSCRIPT_SUFFIX = ".jsonl"
META_SUFFIX = ".meta.json"
OUTPUT_SUFFIXES = (".txt", ".json")
SUFFIXES = (TRANSCRIPT_SUFFIX, META_SUFFIX, *OUTPUT_SUFFIXES)
JOURNAL = "journal.jsonl"
AGENT_PREFIX = "agent-"
SUBAGENTS = "subagents"
TOOL_RESULTS = "tool-results"
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
SESSION_ID = re.compile(rb'"sessionId"\s*:\s*"([\x20\x21\x23-\x5b\x5d-\x7e]{1,200})"')


def place(parts: Sequence[str]) -> Place | None:
    """Return what the path `parts` below a root stands for, or None where nothing of Claude Code's belongs there.

    `<project>/<session>.jsonl`, `<project>/agent-<id>.jsonl`, `<project>/<session>/subagents/…/agent-<id>.jsonl`,
    `agent-<id>.meta.json` and `journal.jsonl` beside the last, and `<project>/<session>/tool-results/<id>.txt` or
    `.json`.
    """
    name = readable(parts[-1])
    suffix = next((suffix for suffix in SUFFIXES if name.endswith(suffix)), None)
    if suffix is None:
        return None
    stem = name.removesuffix(suffix)
    is_agent = stem.startswith(AGENT_PREFIX)
    agent = stem.removeprefix(AGENT_PREFIX) if is_agent else None
    if "" in (stem, agent):
        return None
    if len(parts) == 2:
        is_main = suffix == TRANSCRIPT_SUFFIX and name != JOURNAL
        return Place(stem, agent, UUID.fullmatch(stem) is None) if is_main else None
    if len(parts) >= 4 and parts[2] == SUBAGENTS and suffix not in OUTPUT_SUFFIXES and (is_agent or name == JOURNAL):
        is_transcript = is_agent and suffix == TRANSCRIPT_SUFFIX
        return Place(readable(parts[1]), agent, kind="transcript" if is_transcript else "attachment")
    if len(parts) == 4 and parts[2] == TOOL_RESULTS and suffix in OUTPUT_SUFFIXES:
        return Place(readable(parts[1]), None, kind="attachment")
    return None


def is_entered(parts: Sequence[str]) -> bool:
    """Tell whether transcripts or what belongs to them can stand in or below the folder `parts`."""
    return len(parts) < 3 or parts[2] in (SUBAGENTS, TOOL_RESULTS)


def conversation(place: Place, beginning: bytes) -> str:
    """Return the conversation of the transcript at `place` that begins with these bytes: what most of its lines say."""
    named = Counter(SESSION_ID.findall(beginning) if place.guessed else ()).most_common(1)
    return named[0][0].decode() if named else place.conversation
