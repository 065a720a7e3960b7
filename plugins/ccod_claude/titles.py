"""Names for a conversation: given ones, made-up ones, and what was first typed."""

from __future__ import annotations

from ccod import Title
from ccod_claude.lines import Line, Part
from ccod_claude.queued import is_queued, is_typed, prompt, texts

LONGEST = 200
TYPED_RANK = 0
NOT_TYPED = (
    "<command-",
    "<local-command",
    "<bash-",
    "<task-notification",
    "<system-reminder",
    "<ide_",
    "Caveat: ",
    "[Request interrupted",
)


def title(line: Line) -> Title | None:
    """Return the name that a line without tool results gives to its conversation, or None."""
    match line.type:
        case "user":
            found = _typed(line)
        case "attachment":
            found = _queued(line)
        case "custom-title":
            found = _title(line.custom_title, 50)
        case "agent-name":
            found = _title(line.agent_name, 40)
        case "ai-title":
            found = _title(line.ai_title, 30)
        case "summary":
            found = _summary(line)
        case _:
            found = None
    return found


def _typed(line: Line) -> Title | None:
    if line.is_meta or line.is_compact_summary:
        return None
    return _first_prompt(line.message.content if line.message else None)


def _queued(line: Line) -> Title | None:
    """A prompt that was typed while the agent was at work has no user line."""
    return _first_prompt(prompt(line)) if is_queued(line) and is_typed(line) else None


def _summary(line: Line) -> Title | None:
    """A summary names the conversation that holds its leaf; one without a leaf names its own, if need be."""
    found = _title(line.summary, 20 if line.leaf_uuid else 19)
    return found and Title(found.text, found.rank, line.leaf_uuid or None)


def _first_prompt(content: str | list[Part] | None) -> Title | None:
    return next((found for text in texts(content) if (found := _prompt(text))), None)


def _prompt(text: str | None) -> Title | None:
    return None if text is None or text.lstrip().startswith(NOT_TYPED) else _title(text, TYPED_RANK)


def _title(text: str | None, rank: int) -> Title | None:
    line = " ".join((text or "").split())[:LONGEST]
    return Title(line, rank) if line else None
