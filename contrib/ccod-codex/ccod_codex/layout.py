"""Where Codex puts its rollouts: `YYYY/MM/DD/rollout-<local time>-<thread id>.jsonl`, archived ones in no folder.

A rollout is one thread, and a thread one conversation; forks and the threads of subagents have rollouts of their own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ccod_codex.parser import FORMAT
from ccod_jsonl.tail import Layout, Place, readable

ROLLOUT = re.compile(r"rollout-(?:.*-)?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.jsonl", re.IGNORECASE)


def place(parts: Sequence[str]) -> Place | None:
    """Return the conversation of the rollout at `parts` below a root, or None for any other file."""
    found = ROLLOUT.fullmatch(readable(parts[-1]))
    return Place(found[1].lower(), None) if found else None


LAYOUT = Layout((".jsonl",), place, {"transcript": FORMAT})
