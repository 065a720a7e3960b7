"""Prompts that were typed while the agent was at work: most of them have no user line."""

from __future__ import annotations

from hashlib import blake2b

from ccod_claude.lines import Line, Part
from ccod_jsonl.lines import undecoded


def is_queued(line: Line) -> bool:
    """Tell whether an attachment is such a prompt."""
    return line.attachment is not None and line.attachment.type == "queued_command"


def is_typed(line: Line) -> bool:
    """Tell whether a person typed a prompt that was queued: programs queue theirs in other modes."""
    return line.attachment is None or line.attachment.command_mode in {None, "prompt"}


def queued(line: Line) -> int | None:
    """Return what stands for the words of a queued prompt, whether an attachment or a user line tells of it."""
    if line.type == "attachment":
        said = prompt(line)
    elif line.type == "user" and line.prompt_source == "queued" and line.message is not None:
        said = line.message.content
    else:
        return None
    text = "\n".join(texts(said))
    return int.from_bytes(blake2b(text.encode(errors="replace"), digest_size=8).digest(), signed=True) if text else None


def prompt(line: Line) -> str | list[Part] | None:
    """Return what was queued."""
    found: str | list[Part] | None = undecoded(line.attachment.prompt, str | list[Part]) if line.attachment else None
    return found


def texts(content: str | list[Part] | None) -> list[str]:
    """Return the texts that a message says."""
    if not isinstance(content, list):
        return [content] if content else []
    found = (undecoded(part.text, str) for part in content if part.type == "text")
    return [text for text in found if text]
